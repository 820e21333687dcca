/** The part of the KMS SDK that is used here; see s3/sdk.ts for the reason. */
export { GetPublicKeyCommand, KMSClient, SignCommand } from "@aws-sdk/client-kms";
