/** Memory for the bytes of files between their check and their upload. */
export interface Buffers {
  /** Room for a file, of exactly its size and with arbitrary contents; undefined where all of the memory is in use. */
  readonly take: (sizeBytes: number) => Buffer | undefined;
  /** Gives back what `take` gave, to be used for another file. Nothing may read it any more. */
  readonly release: (buffer: Buffer) => void;
}

const smallestBytes = 64 * 1024;

/**
 * At most `limitBytes` at a time. What was released is used again: fresh memory takes as long to touch for the first time as
 * a small file takes to be read into it.
 */
export function buffers(limitBytes: number): Buffers {
  const free: ArrayBufferLike[] = [];
  let allocatedBytes = 0;
  return {
    take(sizeBytes) {
      const roomBytes = Math.max(smallestBytes, 2 ** Math.ceil(Math.log2(sizeBytes)));
      const at = free.findIndex(({ byteLength }) => byteLength === roomBytes);
      const [again] = at < 0 ? [] : free.splice(at, 1);
      if (again !== undefined) return Buffer.from(again, 0, sizeBytes);
      while (allocatedBytes + roomBytes > limitBytes) {
        const dropped = free.pop();
        if (dropped === undefined) return undefined;
        allocatedBytes -= dropped.byteLength;
      }
      allocatedBytes += roomBytes;
      return Buffer.from(Buffer.allocUnsafeSlow(roomBytes).buffer, 0, sizeBytes);
    },
    release: ({ buffer }) => void free.push(buffer),
  };
}
