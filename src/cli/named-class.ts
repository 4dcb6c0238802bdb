import type { ObjectRef } from "../domain/kubernetes.ts";
import { CommandFailure, type CommandInput } from "./command.ts";
import { valueOf } from "./options.ts";

/** A class by the kubeconfig's namespace, which is known once a cluster is. */
export type NamedClass = (current: string) => Required<ObjectRef>;

/** `NAMESPACE/NAME`, or `NAME` of the namespace that -n says, else the kubeconfig's. What names no class is refused before a cluster is asked. */
export function namedClass(word: string, { options }: CommandInput): NamedClass {
  if (options["all-namespaces"] !== undefined) throw new CommandFailure(`-A: ${JSON.stringify(word)} is one class; leave -A out`);
  const [first = "", second, ...rest] = word.split("/");
  if (rest.length > 0 || first === "" || second === "") {
    throw new CommandFailure(`${JSON.stringify(word)} names no class; write NAMESPACE/NAME`);
  }
  if (second !== undefined) return () => ({ namespace: first, name: second });
  return (current) => ({ namespace: valueOf(options, "namespace") ?? current, name: first });
}
