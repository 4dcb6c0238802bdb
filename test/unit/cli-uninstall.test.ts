import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Cluster } from "../../src/cli/shared/command.ts";
import type { Resource } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { runOffline } from "../support/cli/cli.ts";

const refused = () => Promise.reject(new Error("nobody else"));

/** An install that is a Namespace alone, seen by somebody who may read these kinds. */
function clusterFor(...readable: readonly string[]): Cluster {
  const read = async ({ kind }: Resource, { name }: { readonly name: string }) => {
    if (!readable.includes(kind)) throw new KubeError("Forbidden", `you may not get ${kind}`, { retry: { kind: "never" } });
    return kind === "Namespace" || kind === "MutatingAdmissionPolicy"
      ? { kind: "found", object: { metadata: { name } } }
      : { kind: "absent" };
  };
  const kube = { read, mergePatch: async () => undefined } as unknown as KubeClient; // Nothing else of it is asked.
  const close = async () => undefined;
  return { kube, server: "https://held of context held", namespace: "default", actAs: refused, watcher: refused, close };
}

const NEEDED = ["Namespace", "Deployment", "ValidatingAdmissionPolicyBinding"];

describe("uninstall --prepare", () => {
  test("AT6: needs no right to the policy that injects: the chart's Job has none", async () => {
    const { code, output } = await runOffline(["uninstall", "--prepare"], "", { cluster: clusterFor(...NEEDED) });

    assert.equal(code, 0);
    assert.match(output, /kubectl delete -k manifests\/overlays\/default /);
  });

  test("AT6: names the overlay of the policy where it is there", async () => {
    const { output } = await runOffline(["uninstall", "--prepare"], "", { cluster: clusterFor(...NEEDED, "MutatingAdmissionPolicy") });

    assert.match(output, /kubectl delete -k manifests\/overlays\/policy /);
  });

  test("is told apart from one that may not read the Namespace", async () => {
    assert.equal((await runOffline(["uninstall", "--prepare"], "", { cluster: clusterFor("Deployment") })).code, 2);
  });
});
