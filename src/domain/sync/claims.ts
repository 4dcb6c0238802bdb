import type { SecretProviderClass } from "../kubernetes.ts";
import type { Change } from "../ports/kube-watcher.ts";
import { secretObjectsOf } from "./named-secrets.ts";

/** Which classes name which Secret, without a look at every class for every Secret. */
export class Claims {
  readonly #byName = new Map<string, Map<string, SecretProviderClass>>();

  /** To be told of every change of a class, in order. */
  note({ previous, current }: Change<SecretProviderClass>): void {
    if (previous !== undefined) for (const key of namesOf(previous)) this.#drop(key, previous.metadata.name);
    if (current === undefined) return;
    for (const key of namesOf(current)) {
      const claimants = this.#byName.get(key) ?? new Map<string, SecretProviderClass>();
      claimants.set(current.metadata.name, current);
      this.#byName.set(key, claimants);
    }
  }

  /** Classes of the namespace that name the Secret, the oldest first. */
  of(namespace: string, secretName: string): readonly SecretProviderClass[] {
    const claimants = [...(this.#byName.get(`${namespace}/${secretName}`)?.values() ?? [])];
    return claimants.length < 2 ? claimants : claimants.sort(byAge);
  }

  #drop(key: string, className: string): void {
    const claimants = this.#byName.get(key);
    claimants?.delete(className);
    if (claimants?.size === 0) this.#byName.delete(key);
  }
}

function namesOf(provider: SecretProviderClass): readonly string[] {
  const namespace = provider.metadata.namespace ?? "";
  return secretObjectsOf(provider).map(({ secretName }) => `${namespace}/${secretName}`);
}

/** Creation times have whole seconds; the name decides between equals. */
function byAge({ metadata: a }: SecretProviderClass, { metadata: b }: SecretProviderClass): number {
  const [left, right] = [`${a.creationTimestamp ?? ""} ${a.name}`, `${b.creationTimestamp ?? ""} ${b.name}`];
  return left < right ? -1 : 1;
}
