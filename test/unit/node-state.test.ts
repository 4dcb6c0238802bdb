import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nodeState } from "../e2e/support/node-state.ts";

/** Answers the commands that begin with these words. Rejects all others, as kubectl fails. */
function kubectlOf(answers: Readonly<Record<string, string>>) {
  return async (args: readonly string[]): Promise<string> => {
    const command = args.join(" ");
    const answer = Object.entries(answers).find(([words]) => command.includes(words))?.[1];
    if (answer === undefined) throw new Error(`no answer to ${command}`);
    return answer;
  };
}

describe("the state of a node, printed after a failed scenario", () => {
  test("has the pods, the latest events, and the logs of our pods, those of the run before, too", async () => {
    const events = Array.from({ length: 200 }, (_, index) => `event ${index}`).join("\n");
    const state = await nodeState({
      kubectl: kubectlOf({
        "--output=wide": "all pods",
        "get events": events,
        jsonpath: "sync-1 webhook-1",
        "logs sync-1 --namespace=keyvault-injector --all-containers --tail=40 --previous": "the run before",
        "logs sync-1": "the worker's log",
        "logs webhook-1": "the webhook's log",
      }),
    });

    for (const part of ["all pods", "event 199", "event 140", "the worker's log", "the run before", "the webhook's log"])
      assert.ok(state.includes(part), part);
    assert.ok(!state.includes("event 139"), "only the latest");
  });

  test("says what could not be read, and shows the rest", async () => {
    const state = await nodeState({ kubectl: kubectlOf({ "get events": "event 1" }) });

    assert.match(state, /get pods --all-namespaces --output=wide\nError: no answer/);
    assert.match(state, /event 1/);
  });
});
