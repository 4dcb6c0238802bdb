import type { ObjectRef } from "../domain/kubernetes.ts";
import { CommandFailure, type CommandInput } from "./command.ts";
import { valueOf } from "./options.ts";

/** `NAMESPACE/NAME`, or `NAME` of the namespace that -n says, else the kubeconfig's. */
export function namedClass(word: string, { options }: CommandInput, current: string): Required<ObjectRef> {
  if (options["all-namespaces"] !== undefined) throw new CommandFailure(`-A: ${JSON.stringify(word)} is one class; leave -A out`);
  const [first = "", second, ...rest] = word.split("/");
  const ref =
    second === undefined ? { namespace: valueOf(options, "namespace") ?? current, name: first } : { namespace: first, name: second };
  if (rest.length > 0 || ref.name === "" || ref.namespace === "") {
    throw new CommandFailure(`${JSON.stringify(word)} names no class; write NAMESPACE/NAME`);
  }
  return ref;
}
