import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventOf } from "../../src/cli/dashboard/events.ts";

/** An event that names the worker. The API server accepts any namespace of the object if the event has an `eventTime`. */
function anEvent(namespace: string, involved: Readonly<Record<string, string>>) {
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: "x", namespace },
    involvedObject: { name: "web", ...involved },
    reason: "ClassRestored",
    type: "Normal",
    message: "the class was restored",
    lastTimestamp: "2026-01-01T00:00:00Z",
    eventTime: "2026-01-01T00:00:00.000000Z",
  };
}

describe("an event on the dashboard", () => {
  for (const [name, event, isShown] of [
    ["of an object in its own namespace is shown", anEvent("shop", { kind: "SecretProviderClass", namespace: "shop" }), true],
    ["of an object without a namespace is shown where the worker posts it", anEvent("default", { kind: "CustomResourceDefinition" }), true],
    ["A1: of another namespace's object is not shown", anEvent("aaa-tenant", { kind: "SecretProviderClass", namespace: "shop" }), false],
    ["A1: in a tenant's namespace of an object without one is not shown", anEvent("aaa-tenant", { kind: "Namespace" }), false],
  ] as const) {
    test(name, () => assert.equal(eventOf(event) !== undefined, isShown));
  }
});
