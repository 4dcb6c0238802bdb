import { mkdirSync, statSync } from "node:fs";
import path from "node:path";
import type { Page } from "playwright-core";
import { startPod } from "../integration/used-cluster.ts";
import { prepareChromium, startChromium } from "../support/dashboard/chromium.ts";
import { startDashboard } from "../support/dashboard/dashboard.ts";
import { eventually } from "../support/time/eventually.ts";
import { nextSecond } from "../support/time/wall-clock.ts";
import {
  askNow,
  classOf,
  createClass,
  createCredentials,
  opaque,
  reasonIs,
  type SyncWorld,
  startSyncWorld,
} from "../support/worker/sync-world.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../docs/pictures");
const VAULT = "shop-kv";
const DAY = 86_400_000;
const MOST_BYTES = 200_000;
const SIZE = { width: 1_200, height: 760 };

/** Seconds since 1970, as a vault has them. */
const inDays = (days: number): number => Math.floor((Date.now() + days * DAY) / 1_000);

interface Drawn {
  readonly namespace: string;
  readonly name: string;
  readonly object: string;
  readonly reason?: string;
}

const CLASSES: readonly Drawn[] = [
  { namespace: "shop", name: "web", object: "db-pass" },
  { namespace: "shop", name: "search", object: "search-key" },
  { namespace: "shop", name: "mail", object: "smtp-login", reason: "ObjectNotFound" },
  { namespace: "billing", name: "ledger", object: "ledger-key" },
  { namespace: "billing", name: "reports", object: "report-token" },
  { namespace: "billing", name: "archive", object: "archive-key", reason: "ObjectDisabled" },
];

const EXPIRES: Readonly<Record<string, number>> = { "db-pass": 12, "ledger-key": -2, "report-token": 200, "search-key": 60 };

async function fillVault({ emulator, tenantId, principal }: SyncWorld): Promise<void> {
  await emulator.createVault({ name: VAULT, tenantId });
  await emulator.grant({ vault: VAULT, appId: principal.appId, permissions: ["get", "list"] });
  for (const { object, reason } of CLASSES) {
    if (reason === "ObjectNotFound") continue;
    const days = EXPIRES[object];
    const attributes = { ...(days === undefined ? {} : { expires: inDays(days) }), enabled: reason !== "ObjectDisabled" };
    await emulator.setSecret({ vault: VAULT, name: object, value: `value of ${object}`, ...attributes });
  }
}

async function draw(world: SyncWorld): Promise<void> {
  await fillVault(world);
  const { plane, tenantId, principal, emulator } = world;
  for (const namespace of ["shop", "billing"]) {
    await plane.kubectl(["create", "namespace", namespace]);
    await createCredentials(plane, namespace, { clientid: principal.appId, clientsecret: principal.clientSecret });
  }
  await world.product.start("sync", { within: 180_000 });
  for (const { namespace, name, object } of CLASSES) {
    const secretName = name === "web" ? "db" : name;
    const secretObjects = [
      name === "web" ? { secretName, type: "Opaque", data: [{ objectName: object, key: "password" }] } : opaque(secretName, object),
    ];
    await createClass(plane, classOf({ vault: VAULT, tenantId }, { namespace, name, objects: [object], secretObjects }));
  }
  for (const { reason = "Synced", ...place } of CLASSES) await reasonIs(plane, place, reason);
  await startPod(plane, "shop", "web-6d9f-x2k", "env");
  await startPod(plane, "shop", "web-6d9f-p7q", "envFrom");
  await nextSecond();
  await emulator.setSecret({ vault: VAULT, name: "db-pass", value: "another value", expires: inDays(12) });
  await askNow(plane, { namespace: "shop", name: "web" });
  const isRotated = async () => (await plane.kubectl(["get", "spcsync", "web", "-n", "shop", "-o", "json"])).includes('"since"');
  await eventually(isRotated, { what: "the new version", within: 60_000 });
  await nextSecond();
  await startPod(plane, "shop", "web-7c41-m3z", "env");
  await plane.kubectl(["patch", "secret", "db", "-n", "shop", "-p", '{"data":{"password":"ZWRpdGVk"}}']);
  const isRepaired = async () => (await plane.kubectl(["get", "events", "-n", "shop"])).includes("SecretRepaired");
  await eventually(isRepaired, { what: "the repair", within: 60_000 });
}

const PICTURES = [
  { name: "classes", path: "classes", awaited: "shop/web" },
  { name: "object", path: `object?vault=https%3A%2F%2F${VAULT}.vault.azure.net&object=secret%2Fdb-pass`, awaited: "web-7c41-m3z" },
] as const;

async function take(page: Page, url: string): Promise<void> {
  for (const { name, path: view, awaited } of PICTURES)
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.goto(`${url}${view}`);
      await page.getByText(awaited).first().waitFor();
      await page.locator("#live", { hasText: "Live" }).waitFor();
      const file = path.join(FOLDER, `dashboard-${name}-${colorScheme}.png`);
      await page.screenshot({ path: file });
      const { size } = statSync(file);
      if (size > MOST_BYTES) throw new Error(`${file} has ${size} bytes, more than ${MOST_BYTES}`);
      console.log(`${path.relative(process.cwd(), file)}: ${size} bytes`);
    }
}

/** Of a worker that syncs from the emulator's vault on a real API server. Resolves with what was made. */
export async function pictureDashboard(): Promise<string> {
  prepareChromium();
  mkdirSync(FOLDER, { recursive: true });
  const [world, browser] = await Promise.all([startSyncWorld(), startChromium()]);
  try {
    await draw(world);
    const dashboard = await startDashboard(world.plane.kubeconfigPath);
    await take(await browser.newPage({ viewport: SIZE }), dashboard.url);
    await dashboard.stop();
  } finally {
    await browser.close();
    await world.stop();
  }
  return `${PICTURES.length * 2} pictures`;
}
