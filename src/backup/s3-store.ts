import type { Aws } from "../aws/clients.ts";
import { deleteObjects } from "../aws/s3/deletion.ts";
import { listObjects } from "../aws/s3/listing.ts";
import { getObject, getSmallObject, headObject, putObject } from "../aws/s3/objects.ts";
import { errorName } from "../aws/setting.ts";
import { uploadFile } from "../aws/s3/upload.ts";
import { CliError } from "../errors.ts";
import { placeText, prefixOf } from "./place.ts";
import { maxSmallFileBytes, tooLarge, type Store } from "./store.ts";

/** A repository under a prefix of a bucket. The bucket is not made here. */
export function s3Store(aws: Aws, place: { readonly bucket: string; readonly prefix: string }): Store {
  const { bucket } = place;
  const root = prefixOf(place);
  const keyOf = (name: string) => root + name;

  async function created(put: Promise<unknown>): Promise<"created" | "exists"> {
    try {
      await put;
      return "created";
    } catch (error) {
      if (errorName(error) === "PreconditionFailed") return "exists";
      throw error;
    }
  }

  return {
    where: placeText(place),
    async stat(name, signal) {
      const head = await headObject(aws, { bucket, key: keyOf(name) }, signal);
      if (head === undefined) return undefined;
      return { name, bytes: head.sizeBytes, modifiedAt: head.lastModified ?? new Date(0) };
    },
    async readBytes(name, signal) {
      const get = { bucket, key: keyOf(name), maxBytes: maxSmallFileBytes, signal };
      const found = await orAbsent(getSmallObject(aws, get));
      if (found !== undefined && found.bytes === undefined) throw tooLarge(`${bucket}/${get.key}`);
      return found?.bytes;
    },
    async open(name, signal) {
      return (await orAbsent(getObject(aws, { bucket, key: keyOf(name), signal })))?.body;
    },
    create: (name, bytes, signal) =>
      created(putObject(aws, { bucket, key: keyOf(name), body: bytes, ifNoneMatch: "*", signal })),
    createFromFile: (name, path, signal) =>
      created(
        uploadFile(aws, {
          bucket,
          key: keyOf(name),
          source: { path },
          ifNoneMatch: "*",
          resume: false,
          removeOnFailure: true,
          signal,
        }),
      ),
    async replaceFromFile(name, path, signal) {
      const how = { resume: false, removeOnFailure: true, signal };
      await uploadFile(aws, { bucket, key: keyOf(name), source: { path }, ...how });
    },
    async replace(name, bytes, signal) {
      await putObject(aws, { bucket, key: keyOf(name), body: bytes, signal });
    },
    async *list(prefix, signal) {
      for await (const { objects } of listObjects(aws, { bucket, prefix: keyOf(prefix), signal })) {
        for (const { key, sizeBytes, lastModified } of objects) {
          yield { name: key.slice(root.length), bytes: sizeBytes, modifiedAt: lastModified ?? new Date(0) };
        }
      }
    },
    async remove(names, signal) {
      const doomed = names.map((name) => ({ key: keyOf(name) }));
      const { failures } = await deleteObjects(aws, bucket, doomed, signal);
      const [first] = failures;
      if (first === undefined) return;
      throw new CliError(
        `${failures.length} files of the repository could not be removed, first ${first.key}`,
      );
    },
  };
}

async function orAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (errorName(error) === "NoSuchKey") return undefined;
    throw error;
  }
}
