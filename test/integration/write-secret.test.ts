import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { RESOURCES, type Secret } from "../../src/domain/kubernetes.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { createFingerprints } from "../../src/sync/fingerprints.ts";
import { observeStoredSecret } from "../../src/sync/secrets/secret-store.ts";
import { type WriteInput, writeSecret } from "../../src/sync/secrets/write-secret.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { type KubeAccess, kubeAccess } from "../support/cluster/kube-access.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const refusal = controlPlaneRefusal();
const signal = new AbortController().signal;
const fingerprints = createFingerprints(new Uint8Array(32));

describe("writing a Secret", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let plane: ControlPlane;
  let access: KubeAccess;
  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    access = kubeAccess(plane.kubeconfigPath);
  });
  after(async () => {
    await access?.config.close();
    await plane?.stop();
  });

  const written = (name: string, key: string, observed?: Secret): Promise<unknown> => {
    const secret = {
      name,
      type: "Opaque",
      labels: {},
      annotations: {},
      data: new Map([[key, Sensitive.ofText("value")]]),
      sources: new Map(),
      objects: [`secret/${key}@1`],
    };
    const input: WriteInput = {
      secret,
      className: "demo",
      namespace: "default",
      observed: observed === undefined ? undefined : observeStoredSecret(observed, fingerprints),
      isClaimedBy: () => false,
      terms: { adopts: [], driverSync: undefined, adoptDriverSecrets: true, oldestClass: "demo" },
    };
    return writeSecret({ kube: access.client, fingerprints, logger: recordingLogger() }, input, signal);
  };

  const live = async (name: string): Promise<Secret> => {
    const found = await access.client.read<Secret>(RESOURCES.secrets, { namespace: "default", name }, signal);
    assert.ok(found.kind === "found");
    return found.object;
  };

  const codeOf = (refused: Promise<unknown>): Promise<string> =>
    refused.then(
      () => assert.fail("it was written"),
      (error: unknown) => (error instanceof KubeError ? error.code : String(error)),
    );

  test("that was deleted and made anew meanwhile is tried again, and no fault of its content", async () => {
    await written("made-anew", "one");
    const before = await live("made-anew");
    await access.client.delete(RESOURCES.secrets, { namespace: "default", name: "made-anew" }, {}, signal);
    await written("made-anew", "one");

    assert.equal(await codeOf(written("made-anew", "two", before)), "Conflict");
    await written("made-anew", "two", await live("made-anew"));
    assert.deepEqual(Object.keys((await live("made-anew")).data ?? {}), ["two"]);
  });

  test("whose content the API server refuses is told so", async () => {
    await written("refused", "one");

    assert.equal(await codeOf(written("refused", "no key/", await live("refused"))), "Invalid");
  });
});
