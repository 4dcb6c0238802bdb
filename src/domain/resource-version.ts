/** Versions grow, within one history. They are only compared where they are whole numbers, as kube-apiserver's are. */
export function isVersionOlder(version: string, than: string): boolean {
  return /^\d+$/.test(version) && /^\d+$/.test(than) && BigInt(version) < BigInt(than);
}
