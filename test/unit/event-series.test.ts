import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KubeObject } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { createEventSink } from "../../src/kube/events.ts";
import { heldOf } from "../support/time/collected.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const OPTIONS = { component: "c", instance: "i", fieldManager: "f", clock: new ManualClock(), logger: recordingLogger() };

function sinkOf(posted: KubeObject[], mayEmit?: () => boolean) {
  const client = {
    apply: async (_resource: unknown, body: KubeObject) => {
      posted.push(body);
      return body;
    },
  } as unknown as KubeClient; // The sink makes no other calls.
  return createEventSink(client, { ...OPTIONS, ...(mayEmit === undefined ? {} : { mayEmit }) });
}

const aClass = (edit: number): KubeObject =>
  ({
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { namespace: "team", name: "one", uid: "u", resourceVersion: String(edit) },
    spec: { parameters: { note: "x".repeat(10_000) } },
  }) as KubeObject;

describe("an event that may come again", () => {
  test("B-14: is remembered without the object that it is about, and with no more of its message than is posted", async () => {
    const posted: KubeObject[] = [];
    const sink = sinkOf(posted);
    const given: WeakRef<object>[] = [];
    const kept: KubeObject[] = [];
    const emit = (edit: number): void => {
      const regarding = aClass(edit);
      given.push(new WeakRef(regarding));
      if (edit === 0) kept.push(regarding);
      sink.emit({ regarding, type: "Warning", reason: "InvalidClass", message: `no ${edit}: ${"m".repeat(100_000)}` });
    };
    for (let edit = 0; edit < 50; edit += 1) emit(edit);
    await sink.drained();

    assert.equal(await heldOf(given), kept.length, "the control is the one that the test holds");
    assert.equal(posted.length, 50);
    const bytes = posted.map((body) => Buffer.byteLength(String((body as { readonly message?: string }).message)));
    assert.deepEqual(new Set(bytes), new Set([1_024]));
  });
});

describe("an event of a replica that has slept", () => {
  test("S9: is not posted where its lease has lapsed, and one that it emitted before is", async () => {
    const posted: KubeObject[] = [];
    let isLeading = true;
    const sink = sinkOf(posted, () => isLeading);
    const emit = (message: string): void => sink.emit({ regarding: aClass(1), type: "Warning", reason: "InvalidClass", message });
    emit("before");
    isLeading = false;
    emit("after");
    await sink.drained();

    assert.deepEqual(
      posted.map((body) => (body as { readonly message?: string }).message),
      ["before"],
    );
    assert.equal(sink.dropped, 1);
  });
});
