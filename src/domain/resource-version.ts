/**
 * Whether a resource version is older than another one. Versions grow within one history. Only whole numbers, as in kube-apiserver, can be
 * compared.
 */
export function isVersionOlder(version: string, than: string): boolean {
  return /^\d+$/.test(version) && /^\d+$/.test(than) && BigInt(version) < BigInt(than);
}
