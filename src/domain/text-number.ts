/**
 * Returns a number of 32 bits for a text, the same in every process and version. Uses FNV-1a and a finalizer, because similar short texts
 * must not get adjacent numbers. A user who chooses the texts can make two of them collide.
 */
export function textNumber(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
