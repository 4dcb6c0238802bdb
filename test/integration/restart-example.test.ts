/** Applies the example of the page about restarts as it is, and compares kubectl's output with the page. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { type PodReadiness, startPodReadiness } from "../support/cluster/pod-readiness.ts";
import { isReady, podsOf, recordedStampOf, restartStampOf } from "../support/cluster/workloads.ts";
import { fencedBlocks } from "../support/docs/markdown.ts";
import { eventually } from "../support/time/eventually.ts";
import { clockShows } from "../support/time/wall-clock.ts";
import {
  askNow,
  createCredentials,
  eventsOf,
  reasonIs,
  type SyncWorld,
  send,
  startSyncWorld,
  statusOf,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const WEB = { namespace: "shop", name: "web" };
const OBJECT = "db-password";

const [, page = ""] = readRepositoryFile("docs/how-to/restart-on-rotation.md").split("## A whole example\n");
const [section = ""] = page.split("\n## ");
const blocks = fencedBlocks(section);
const manifest = blocks.find(({ language }) => language === "yaml")?.text ?? "";
const commands = blocks.filter(({ language }) => language === "sh").map(({ text }) => text.trim());
const outputs = blocks.filter(({ language }) => language === "text").map(({ text }) => text.trim());

let world: SyncWorld;
let pods: PodReadiness;

/** Splits the columns, and leaves out times. */
const columns = (text: string): readonly string[] =>
  text
    .trim()
    .split("\n")
    .map((line) =>
      line
        .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "<time>")
        .replace(/^\d+[ms]\S*/, "<age>")
        .replaceAll(/ {2,}/g, " | ")
        .trim(),
    );

describe("the example of restarts on rotation", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    pods = startPodReadiness(world.plane);
    await world.product.start("sync", { args: ["--rotation-poll-interval=24h"], within: 120_000 });
  });
  after(async () => {
    await pods?.stop();
    await world?.stop();
  });

  test("P18: waits for its window after a rotation, as the page shows it", async () => {
    const { plane, principal, vault, tenantId, emulator } = world;
    await emulator.setSecret({ vault, name: OBJECT, value: "first" });
    await send(plane, {
      method: "POST",
      path: "/api/v1/namespaces",
      body: { apiVersion: "v1", kind: "Namespace", metadata: { name: WEB.namespace } },
    });
    await createCredentials(plane, WEB.namespace, { clientid: principal.appId, clientsecret: principal.clientSecret });
    const filled = manifest.replace("<key-vault-name>", vault).replace("<tenant-Id>", tenantId);
    assert.equal(parseAllDocuments(filled).length, 2);
    // Use a window that is closed now at any time of day. The window on the page is at night.
    const far = new Date(Date.now() + 12 * 3_600_000).getUTCHours();
    const written = filled.replace("0 22 * * MON-FRI for 4h in Europe/Berlin", `0 ${far} * * * for 1h`);
    assert.notEqual(written, filled);
    await plane.kubectl(["apply", "-f", "-"], written);
    await reasonIs(plane, WEB, "Synced");
    await eventually(async () => (await podsOf(plane, WEB)).length === 2 && (await isReady(plane, WEB)), { what: "the pods" });
    await eventually(() => recordedStampOf(plane, WEB), { what: "the record" });
    await clockShows(Math.ceil(Date.now() / 1_000) * 1_000 + 1_000);
    await emulator.rotateSecret({ vault, name: OBJECT, value: "second" });
    await askNow(plane, WEB);
    await eventually(
      async () => (await statusOf(plane, WEB.namespace, WEB.name))?.conditions.some(({ reason }) => reason === "WindowClosed"),
      { what: "WindowClosed" },
    );
    await eventually(async () => (await eventsOf(plane, WEB)).some(({ reason }) => reason === "WindowClosed"), { what: "the event" });

    const shown: string[] = [];
    for (const command of commands.filter((each) => each.startsWith("kubectl get")))
      shown.push(await plane.kubectl(splitWords(command).slice(1)));
    assert.equal(shown.length, outputs.length);
    for (const [index, text] of shown.entries()) assert.deepEqual(columns(text), columns(outputs[index] ?? ""));
    assert.equal(await restartStampOf(plane, WEB), undefined);
  });
});

function splitWords(line: string): readonly string[] {
  return (line.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []).map((word) => word.replaceAll("'", ""));
}
