/** A line longer than this is no Kubernetes object: etcd holds 1.5 MiB by default, and JSON may triple that. */
export const LINE_LIMIT = 16 * 1024 * 1024;

const NEWLINE = 0x0a;

/**
 * Lines of a byte stream, decoded whole: a character cut in two by a chunk's end is never decoded in halves. Empty lines are skipped; an
 * unfinished last line is dropped, since the object in it is not complete. Throws where a line exceeds the limit (bytes).
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, limit: number = LINE_LIMIT): AsyncGenerator<string, void, undefined> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      pending.push(chunk.subarray(start, end));
      const line = Buffer.concat(pending).toString("utf8");
      pending = [];
      pendingBytes = 0;
      start = end + 1;
      if (line.trim() !== "") yield line;
    }
    pending.push(chunk.subarray(start));
    pendingBytes += chunk.length - start;
    if (pendingBytes > limit) throw new Error(`a line of more than ${limit} bytes`);
  }
}
