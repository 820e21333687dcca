import { GetObjectAclCommand } from "@aws-sdk/client-s3";
import type { Aws } from "../clients.ts";
import { isUnsupported } from "../setting.ts";
import { abortable, type ObjectName } from "./objects.ts";

const everybody = "http://acs.amazonaws.com/groups/global/AllUsers";

/** Whom the ACL of an object lets in. */
export interface ForeignGrants {
  /** Anybody out there. */
  readonly toEverybody: boolean;
  /** Other accounts, or whoever has one at AWS. */
  readonly toOthers: boolean;
}

/** What an object's ACL grants besides its owner's full control; nothing on a server that knows no ACLs. */
export async function foreignGrants(
  aws: Aws,
  { bucket, key }: ObjectName,
  signal?: AbortSignal,
): Promise<ForeignGrants> {
  const s3 = await aws.s3();
  try {
    const { Grants = [], Owner } = await s3.send(
      new GetObjectAclCommand({ Bucket: bucket, Key: key }),
      abortable(signal),
    );
    const foreign = Grants.flatMap(({ Grantee }) =>
      Grantee === undefined || Grantee.ID === Owner?.ID ? [] : [Grantee],
    ).filter(({ ID, URI }) => ID !== undefined || URI !== undefined);
    return {
      toEverybody: foreign.some(({ URI }) => URI === everybody),
      toOthers: foreign.some(({ URI }) => URI !== everybody),
    };
  } catch (error) {
    if (isUnsupported(error)) return { toEverybody: false, toOthers: false };
    throw error;
  }
}
