import type { KeyStatus, SecretStatus } from "./class-status.ts";

/**
 * The Secrets with the time since when each key has its version: `time` (RFC 3339) where the stored status has another version under the
 * key, else what is stored. Without a version before it there is no time: the Secret's own creation says that, and a status that
 * was lost and is written again must not make old versions new.
 */
export function withSince(secrets: readonly SecretStatus[], stored: readonly SecretStatus[], time: string): readonly SecretStatus[] {
  const before = new Map(stored.map(({ name, data }) => [name, data]));
  return secrets.map((secret) => {
    const keys = Map.groupBy(before.get(secret.name) ?? [], ({ key }) => key);
    return { ...secret, data: secret.data.map((key) => keyWithSince(key, keyBefore(key, keys.get(key.key)), time)) };
  });
}

/** Of a key that is made from several objects the one of the same object, in the same version if there is one; the last one where it was made from others. */
function keyBefore({ object, version }: KeyStatus, before: readonly KeyStatus[] = []): KeyStatus | undefined {
  const ofObject = before.filter((key) => key.object === object);
  return ofObject.findLast((key) => key.version === version) ?? ofObject.at(-1) ?? before.at(-1);
}

function keyWithSince(key: KeyStatus, before: KeyStatus | undefined, time: string): KeyStatus {
  const { since: _, ...said } = key;
  if (before?.version === undefined || key.version === undefined) return said;
  const isSame = before.version === key.version && before.object === key.object;
  const since = isSame ? before.since : time;
  return since === undefined ? said : { ...said, since };
}
