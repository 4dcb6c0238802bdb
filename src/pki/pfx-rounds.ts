/** How many rounds of key derivation a PKCS#12 file asks for, as far as it says so without being opened. */
import { DerError } from "./der.ts";
import { roundsOf } from "./encryption.ts";
import {
  type ContentInfo,
  DATA,
  ENCRYPTED_DATA,
  type MacData,
  onlyOctets,
  onlySequence,
  readBag,
  readContentInfo,
  readEncryptedData,
  readEncryptedKey,
  SHROUDED_KEY_BAG,
} from "./pfx.ts";

/** Opening the file reports what is broken, in the order and the words of the upstream libraries. */
function orNone(rounds: () => number): number {
  try {
    return rounds();
  } catch (error) {
    if (error instanceof DerError) return 0;
    throw error;
  }
}

const sum = <T>(items: readonly T[], rounds: (item: T) => number): number =>
  items.reduce((all, item) => all + orNone(() => rounds(item)), 0);

function roundsOfContent({ type, content }: ContentInfo): number {
  if (type === ENCRYPTED_DATA) return roundsOf(readEncryptedData(content).algorithm);
  if (type !== DATA) return 0;
  const bags = onlySequence(onlyOctets(content), "safeContents", (safe) => safe.each(readBag));
  return sum(bags, (bag) => (bag.type === SHROUDED_KEY_BAG ? roundsOf(readEncryptedKey(bag).algorithm) : 0));
}

/** At the least: keys may be hidden in what is encrypted, and a second encoding of the empty password may have to be tried. */
export function declaredRounds({ rounds }: MacData, message: Uint8Array): number {
  const contents = () => onlySequence(message, "authenticatedSafe", (safe) => safe.each(readContentInfo));
  return Math.max(1, rounds) + orNone(() => sum(contents(), roundsOfContent));
}
