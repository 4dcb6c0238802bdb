import { Groups } from "../groups.ts";
import type { SecretProviderClass } from "../kubernetes.ts";
import type { Change } from "../ports/kube-watcher.ts";
import { secretObjectsOf } from "./named-secrets.ts";

/** Which classes name which Secret, without a look at every class for every Secret. */
export class Claims {
  readonly #byName = new Groups<SecretProviderClass>();

  /** To be told of every change of a class, in order. */
  note({ previous, current }: Change<SecretProviderClass>): void {
    if (previous !== undefined) for (const key of namesOf(previous)) this.#byName.delete(key, previous.metadata.name);
    if (current === undefined) return;
    for (const key of namesOf(current)) this.#byName.set(key, current.metadata.name, current);
  }

  /** Classes of the namespace that name the Secret, the oldest first. */
  of(namespace: string, secretName: string): readonly SecretProviderClass[] {
    const claimants = this.#byName.of(`${namespace}/${secretName}`);
    return claimants.length < 2 ? claimants : claimants.toSorted(byAge);
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
