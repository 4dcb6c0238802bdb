import { Groups } from "../groups.ts";
import type { SecretProviderClass } from "../kubernetes.ts";
import type { Change } from "../ports/kube-watcher.ts";
import { secretObjectsOf } from "./named-secrets.ts";

/** Index from each Secret to the classes that name it, so that a search does not read every class. */
export class Claims {
  readonly #byName = new Groups<SecretProviderClass>();

  /** Call this for every change of a class, in order. */
  note({ previous, current }: Change<SecretProviderClass>): void {
    if (previous !== undefined) for (const key of namesOf(previous)) this.#byName.delete(key, previous.metadata.name);
    if (current === undefined) return;
    for (const key of namesOf(current)) this.#byName.set(key, current.metadata.name, current);
  }

  /** Returns the classes of the namespace that name the Secret, the oldest first. */
  of(namespace: string, secretName: string): readonly SecretProviderClass[] {
    const claimants = this.#byName.of(`${namespace}/${secretName}`);
    return claimants.length < 2 ? claimants : claimants.toSorted(byAge);
  }
}

function namesOf(provider: SecretProviderClass): readonly string[] {
  const namespace = provider.metadata.namespace ?? "";
  return secretObjectsOf(provider).map(({ secretName }) => `${namespace}/${secretName}`);
}

/** Compares creation times, which have whole seconds. The name decides between equal times. */
function byAge({ metadata: a }: SecretProviderClass, { metadata: b }: SecretProviderClass): number {
  const [left, right] = [`${a.creationTimestamp ?? ""} ${a.name}`, `${b.creationTimestamp ?? ""} ${b.name}`];
  return left < right ? -1 : 1;
}
