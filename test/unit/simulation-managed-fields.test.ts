import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SimulatedServer } from "../simulation/compare/simulated.ts";

const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments/web";

/**
 * The server does not store the empty list, so that the merged result of an apply always differs from the stored object. Only the
 * comparison of the whole object, as the server would store it, shows that nothing changed.
 */
const DEPLOYMENT = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "web", image: "web", volumeMounts: [] }] },
    },
  },
};

/** Unix milliseconds. */
const START = Date.parse("2026-01-01T00:00:00Z");

interface Shown {
  readonly resourceVersion: string;
  /** Manager and time of each entry, in the order of the entries. */
  readonly owners: readonly string[];
}

class Cluster {
  readonly #server = new SimulatedServer(() => 0.5, { controllerManager: false });

  /** Applies the Deployment. `second`: seconds since the first apply. */
  async applied(second: number, fieldManager: string): Promise<Shown> {
    this.#server.setClock(START + second * 1_000);
    const { status, body } = await this.#server.send({
      method: "PATCH",
      url: `${DEPLOYMENTS}?fieldManager=${fieldManager}&force=true`,
      contentType: "application/apply-patch+yaml",
      body: JSON.stringify(DEPLOYMENT),
      user: undefined,
    });
    assert.ok(status === 200 || status === 201, JSON.stringify(body));
    const { metadata } = body as { metadata: { resourceVersion: string; managedFields: { manager: string; time: string }[] } };
    return {
      resourceVersion: metadata.resourceVersion,
      owners: metadata.managedFields.map(({ manager, time }) => `${manager} ${(Date.parse(time) - START) / 1_000}`),
    };
  }
}

describe("the simulated API server's managedFields", () => {
  test("an apply that changes nothing is written where another manager has applied since: the entries change places", async () => {
    const cluster = new Cluster();
    await cluster.applied(0, "kubectl");
    const other = await cluster.applied(8, "sync");

    const again = await cluster.applied(9, "kubectl");

    assert.deepEqual(other.owners, ["kubectl 0", "sync 8"]);
    assert.deepEqual(again.owners, ["sync 8", "kubectl 9"]);
    assert.notEqual(again.resourceVersion, other.resourceVersion);
  });

  test("an apply that changes nothing is no write where the manager was the last to apply, or applies in the other's second", async () => {
    const cluster = new Cluster();
    await cluster.applied(0, "kubectl");
    const last = await cluster.applied(8, "sync");

    assert.deepEqual(await cluster.applied(9, "sync"), last);
    // Entries of the same second are sorted by name, and "kubectl" comes before "sync".
    assert.deepEqual(await cluster.applied(8, "kubectl"), last);
  });
});
