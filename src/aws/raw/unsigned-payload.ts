import type { PutObjectCommand, UploadPartCommand } from "@aws-sdk/client-s3";

/**
 * Sends the body without its SHA-256 in the signature (`UNSIGNED-PAYLOAD`). S3 still checks the bytes, by the CRC32
 * that the command carries and the signature covers; a second hash over them would cost a third of the CPU time of
 * an upload. The aws-cli does the same over TLS; plain http only goes to a custom endpoint. A command without
 * CRC32 or with a stream for a body stays as the SDK signs it.
 */
export function leavePayloadUnsigned(command: PutObjectCommand | UploadPartCommand): void {
  // The two stacks differ in their inputs and outputs, which are not looked at here.
  (command as PutObjectCommand).middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { headers: Record<string, string>; body?: unknown };
      if (request.headers["x-amz-checksum-crc32"] !== undefined && request.body instanceof Uint8Array) {
        request.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD";
      }
      return next(args);
    },
    { step: "build", name: "leavePayloadUnsigned" },
  );
}
