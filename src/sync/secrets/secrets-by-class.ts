import { SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import type { Change } from "../../domain/ports/kube-watcher.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";

/** Secrets by the class that they name, without a look at every Secret for every class. */
export class SecretsByClass {
  readonly #byClass = new Map<string, Map<string, ObservedSecret>>();

  /** To be told of every change of a Secret, in order. */
  note({ previous, current }: Change<ObservedSecret>): void {
    if (previous !== undefined) this.#drop(previous);
    const key = current === undefined ? undefined : classKeyOf(current);
    if (current === undefined || key === undefined) return;
    const ofClass = this.#byClass.get(key) ?? new Map<string, ObservedSecret>();
    ofClass.set(current.ref.name, current);
    this.#byClass.set(key, ofClass);
  }

  /** Of `namespace/name` of a class. */
  of(classKey: string): readonly ObservedSecret[] {
    return [...(this.#byClass.get(classKey)?.values() ?? [])];
  }

  #drop(secret: ObservedSecret): void {
    const key = classKeyOf(secret);
    if (key === undefined) return;
    const ofClass = this.#byClass.get(key);
    ofClass?.delete(secret.ref.name);
    if (ofClass?.size === 0) this.#byClass.delete(key);
  }
}

/** `namespace/name` of the class that the Secret names. */
export function classKeyOf({ ref, annotations }: ObservedSecret): string | undefined {
  const name = annotations[SECRET_ANNOTATIONS.class];
  return name === undefined ? undefined : `${ref.namespace ?? ""}/${name}`;
}
