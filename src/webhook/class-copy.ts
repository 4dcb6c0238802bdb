import { CREDENTIAL_PARAMETERS } from "../domain/injection/credentials.ts";
import { type KubeObject, type ObjectRef, RESOURCES, type SecretObject, type SecretProviderClass } from "../domain/kubernetes.ts";
import { isDnsSubdomain } from "../domain/kubernetes-names.ts";
import type { KubeWatcher, Reflector } from "../domain/ports/kube-watcher.ts";
import { trimSpace } from "../domain/provider-class/go-text.ts";

/** Maximum length of a value. Longer than any flag and any provider's name. Of a client ID, only its presence matters. */
const LONGEST_VALUE = 64;

/** Maximum length of a key in a Secret. */
const LONGEST_KEY = 253;

/**
 * Maximum for the names and keys of all Secrets of one class, in characters of JSON: about 400 keys. Five thousand classes of maximum size
 * then take 60 MiB of the container's 256.
 */
const MOST_NAMES = 12 * 1024;

/** Characters of JSON around a Secret's name and its list of keys, and around a key. */
const AROUND = { secret: 32, key: 11 } as const;

/** Live copy of the classes. Of each class it keeps the parts that a decision on a pod uses, as one short text. */
export type ClassCopy = Pick<Reflector<SecretProviderClass>, "get" | "isUnserved" | "silentFor">;

export function reflectClasses(watcher: KubeWatcher, signal: AbortSignal): ClassCopy {
  // A text of its own: a part of a large text would keep all of it in memory.
  const project = (object: KubeObject): string => JSON.stringify(usedOf(object));
  const copy = watcher.reflect<string>({ resource: RESOURCES.secretProviderClasses, project }, signal);
  return {
    get: (ref: ObjectRef) => {
      const text = copy.get(ref);
      return text === undefined ? undefined : (JSON.parse(text) as SecretProviderClass); // The projection above wrote this text.
    },
    get isUnserved() {
      return copy.isUnserved;
    },
    get silentFor() {
      return copy.silentFor;
    },
  };
}

/** Returns the identity settings of a class and the keys of its Secrets, limited in length and number. */
export function usedOf(object: KubeObject): SecretProviderClass {
  const { spec } = object as SecretProviderClass; // The reflector requested this kind, and the CRD's schema guarantees its form.
  const { name, namespace } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    spec: {
      ...(spec?.provider === undefined ? {} : { provider: spec.provider.slice(0, LONGEST_VALUE) }),
      parameters: parametersOf(spec?.parameters ?? {}),
      secretObjects: namesOf(spec?.secretObjects ?? []),
    },
  };
}

/** The provider reads values without the spaces around them. The part that is cut off never changes their meaning. */
function parametersOf(parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const given = CREDENTIAL_PARAMETERS.flatMap((name): readonly (readonly [string, string])[] => {
    const value = parameters[name];
    return value === undefined ? [] : [[name, trimSpace(value).slice(0, LONGEST_VALUE)]];
  });
  return Object.fromEntries(given);
}

/** Returns as many as there is room for. A Secret never contains an invalid name or key, so these are left out. */
function namesOf(secretObjects: readonly SecretObject[]): readonly SecretObject[] {
  let room = MOST_NAMES;
  const kept: SecretObject[] = [];
  for (const { secretName = "", data = [] } of secretObjects) {
    if (!isDnsSubdomain(secretName)) continue;
    room -= secretName.length + AROUND.secret;
    if (room < 0) break;
    const keys: { readonly key: string }[] = [];
    for (const { key } of data) {
      if (!isSecretKey(key)) continue;
      room -= key.length + AROUND.key;
      if (room < 0) break;
      keys.push({ key });
    }
    kept.push({ secretName, data: keys });
  }
  return kept;
}

function isSecretKey(key: string | undefined): key is string {
  return key !== undefined && key.length <= LONGEST_KEY && /^[-._a-zA-Z0-9]+$/.test(key);
}
