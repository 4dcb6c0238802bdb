import { INJECTOR_NAMESPACE } from "./install.ts";
import type { RealNode } from "./node.ts";

/** Number of the latest events, and of the last lines of each log. */
const LATEST = { events: 60, lines: 40 };

/** Describes, for the output of a failed scenario, the pods of the node, the latest events, and the logs of our own pods. */
export async function nodeState({ kubectl }: Pick<RealNode, "kubectl">): Promise<string> {
  const ours = `--namespace=${INJECTOR_NAMESPACE}`;
  const read = async (...args: readonly string[]): Promise<string> => {
    const text = await kubectl([...args, "--request-timeout=10s"]).catch((error: unknown) => String(error));
    return `$ kubectl ${args.join(" ")}\n${text.trimEnd()}`;
  };
  const pods = await read("get", "pods", "--all-namespaces", "--output=wide");
  const events = await read("get", "events", "--all-namespaces", "--sort-by=.metadata.creationTimestamp");
  const names = await kubectl(["get", "pods", ours, "--output=jsonpath={.items[*].metadata.name}"]).catch(() => "");
  const logs: string[] = [];
  for (const pod of names.split(" ").filter(Boolean))
    for (const run of [[], ["--previous"]]) logs.push(await read("logs", pod, ours, "--all-containers", `--tail=${LATEST.lines}`, ...run));
  return [pods, events.split("\n").slice(-LATEST.events).join("\n"), ...logs].join("\n\n");
}
