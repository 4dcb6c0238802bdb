/** Node's random functions, with numbers from the seed. */
import { activeScheduler, currentMachine, random } from "./context.ts";

/** Replaces `crypto.randomUUID`. */
export function uuid(): string {
  const bytes = random().bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Replaces `crypto.randomFillSync` and `getRandomValues`. */
export function fill<T extends ArrayBufferView>(view: T): T {
  random()
    .bytes(view.byteLength)
    .copy(Buffer.from(view.buffer, view.byteOffset, view.byteLength));
  return view;
}

/** Replaces `crypto.randomBytes`. */
export function randomBytes(size: number, done?: (error: null, bytes: Buffer) => void): Buffer | undefined {
  const bytes = random().bytes(size);
  if (done === undefined) return bytes;
  activeScheduler().schedule(0, () => done(null, bytes), { machine: currentMachine() });
  return undefined;
}
