/** The few DER structures that are written here: keys without their container. */

export const TAGS = { integer: 0x02, bitString: 0x03, octetString: 0x04, null: 0x05, objectIdentifier: 0x06, sequence: 0x30 } as const;

/** `[tag] EXPLICIT` */
export const explicitTag = (tag: number): number => 0xa0 | tag;

function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return [0x80 | digits.length, ...digits];
}

export function writeDer(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, content) => sum + content.length, 0);
  return Buffer.concat([Uint8Array.from([tag, ...lengthOf(length)]), ...contents]);
}

/** A number below 128. */
export const writeSmallInteger = (value: number): Uint8Array => writeDer(TAGS.integer, Uint8Array.of(value));

/** Whole bytes: no unused bits. */
export const writeBitString = (bytes: Uint8Array): Uint8Array => writeDer(TAGS.bitString, Uint8Array.of(0), bytes);

function arcBytes(arc: number): readonly number[] {
  const digits = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift(0x80 | (rest % 128));
  return digits;
}

export function writeObjectIdentifier(dotted: string): Uint8Array {
  const [root = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return writeDer(TAGS.objectIdentifier, Uint8Array.from([root * 40 + second, ...rest].flatMap(arcBytes)));
}
