/** 168 characters that cause a million rounds of key derivation: a PKCS#12 envelope that contains only its MAC. */
function der(tag: number, ...content: readonly (Buffer | readonly number[])[]): Buffer {
  const body = Buffer.concat(content.map((part) => Buffer.from(part)));
  const length = body.length < 128 ? [body.length] : [0x81, body.length];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function integer(value: number): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, "hex");
  return der(2, (bytes[0] ?? 0) >= 0x80 ? [0, ...bytes] : bytes);
}

const DATA = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const SHA_512 = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];
const ROUNDS = 999_999;

export function pkcs12Bomb(rounds = ROUNDS): string {
  const empty = der(0x30, der(6, DATA), der(0xa0, der(4, der(0x30))));
  const digest = der(0x30, der(0x30, der(6, SHA_512), der(5)), der(4, Buffer.alloc(64, 1)));
  return der(0x30, integer(3), empty, der(0x30, digest, der(4, Buffer.alloc(8, 7)), integer(rounds))).toString("base64");
}
