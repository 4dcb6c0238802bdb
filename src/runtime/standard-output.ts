import { writeFileSync } from "node:fs";
import { Socket } from "node:net";

/** Writes the whole text to standard output. Returns why it could not; undefined also if the reader has gone, as `| head` does. */
export async function writeOutput(text: string): Promise<string | undefined> {
  if (text === "") return undefined;
  const { stdout }: { readonly stdout: NodeJS.WritableStream } = process;
  try {
    if (stdout instanceof Socket) await writeTo(stdout, text);
    // Node's stream of a file takes a short write, such as on a full disk, for a complete one.
    else writeFileSync(process.stdout.fd, text);
  } catch (error) {
    const code = codeOf(error);
    return code === "EPIPE" ? undefined : `standard output cannot be written (${code}), so the output is incomplete`;
  }
  return undefined;
}

/** Writes the text to standard error. Ignores a failure, because there is no other place to report it. */
export async function writeNotes(text: string): Promise<void> {
  if (text !== "") await writeTo(process.stderr, text).catch(() => undefined);
}

function writeTo(stream: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Without a listener, the error ends the process.
    stream.once("error", reject);
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
