import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { runCli } from "../support/cli/cli.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { proxiedKubeconfig } from "../support/cluster/kube-access.ts";
import { axeViolations } from "../support/dashboard/axe.ts";
import { chromiumRefusal, startChromium } from "../support/dashboard/chromium.ts";
import { type Dashboard, startDashboard } from "../support/dashboard/dashboard.ts";
import { type DashboardWorld, FORBIDDEN, startDashboardWorld } from "../support/dashboard/world.ts";
import { eventually } from "../support/time/eventually.ts";

const refusal = controlPlaneRefusal() ?? chromiumRefusal();

/** Maximum time of an update from the write to the page, in milliseconds. */
const UPDATE_MS = 1_000;

describe("the dashboard in Chromium", { skip: refusal !== undefined && `SKIPPED: ${refusal}` }, () => {
  let world: DashboardWorld;
  let browser: Browser;
  let dashboard: Dashboard;
  let page: Page;
  const problems: string[] = [];

  before(async () => {
    [world, browser] = await Promise.all([startDashboardWorld(), startChromium()]);
    dashboard = await startDashboard(world.plane.kubeconfigPath);
    page = await browser.newPage();
    // The browser reports a network error when the dashboard has stopped.
    page.on("console", (message) => message.type() === "error" && !message.text().includes("net::ERR_") && problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(dashboard.url);
    await page.getByText("shop/web").waitFor();
  });
  after(async () => {
    await browser?.close();
    await dashboard?.stop();
    await world?.stop();
  });

  const open = async (path: string): Promise<string> => {
    await page.goto(`${dashboard.url}${path}`);
    await page.locator("#live", { hasText: "Live" }).waitFor();
    return page.locator("#main").innerText();
  };

  const classLink = (name: string) => page.getByRole("link", { name, exact: true });

  const VIEWS = [
    { path: "classes", shows: ["FAIL", "shop/queue", "Forbidden", "1/1", "shop-vault.vault.azure.net"] },
    {
      path: "class?ns=shop&name=web",
      shows: ["password", "secret/web", "2".repeat(32), "web-old", "old", "New version", "SecretRepaired"],
    },
    { path: "secrets", shows: ["shop/queue", "password", "secret/web", "2".repeat(32), "Forbidden"] },
    { path: "objects", shows: ["secret/web", "shop-vault.vault.azure.net", "old 1"] },
    {
      path: "object?vault=https%3A%2F%2Fshop-vault.vault.azure.net&object=secret%2Fweb",
      shows: ["shop/web-old", "1".repeat(32), "shop/web-new", "it is not the newest known version"],
    },
    { path: "calendar", shows: ["expired", "secret/ledger", "soon", "secret/web"] },
    { path: "timeline", shows: ["New version", "secret/web has version", "Restarted", "Deployment shop/web"] },
    { path: "repairs", shows: ["SecretRepaired", "kubectl-edit"] },
    { path: "vaults", shows: ["shop-vault.vault.azure.net", "keyvault_injector_vault_rate"] },
  ] as const;

  for (const { path, shows } of VIEWS) {
    test(`shows ${path.replace(/\?.*/, "")}, and axe finds nothing, in the light and in the dark`, async () => {
      const text = await open(path);
      const twice = "[...document.querySelectorAll('[id]')].map(({ id }) => id).filter((id, index, all) => all.indexOf(id) !== index)";
      assert.deepEqual(await page.evaluate(twice), []);
      for (const each of shows) assert.ok(text.includes(each), `${each} is not in ${text}`);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await axeViolations(page), []);
      }
    });
  }

  test("says of a failing class what doctor says, with the runbook", async () => {
    const { stdout } = await runCli(["doctor", "class", "shop/queue", "--no-vaults"], { kubeconfig: world.plane.kubeconfigPath });
    const [, said = ""] = /status-failing: (.*)/.exec(stdout) ?? [];
    const [, todo = ""] = /to do: (.*)/.exec(stdout) ?? [];
    await open("classes");
    const row = page.getByRole("row").filter({ hasText: "shop/queue" });

    assert.equal(said, `Forbidden: ${FORBIDDEN}`);
    const text = await row.innerText();
    // The page shows the message of the finding right before the advice.
    assert.ok(text.includes(said) && text.includes(todo.replace(` (${said})`, "")), text);
    assert.equal(
      await row.getByRole("link", { name: "Runbook" }).getAttribute("href"),
      "https://keyvault-injector.dev/docs/runbooks/Forbidden.md",
    );
  });

  test("shows a change within a second, without a reload, and keeps the focus where it is", async () => {
    await open("classes");
    await page.evaluate("window.isSame = true");
    const link = classLink("shop/web");
    await link.focus();
    const started = performance.now();
    await world.say({ namespace: "billing", name: "ledger" }, { reason: "ObjectNotFound", message: "not found in the vault (404)" });
    await page.getByText("ObjectNotFound: not found in the vault (404)").first().waitFor();
    const took = performance.now() - started;

    assert.ok(took < UPDATE_MS, `${took} ms`);
    assert.equal(await page.evaluate("window.isSame"), true);
    assert.equal(await page.evaluate("document.activeElement.id"), "class-shop-web");
    assert.equal(await page.locator("#said").innerText(), "4 classes fail");
    await world.say({ namespace: "billing", name: "ledger" }, { expires: -86_400_000 });
    await page.locator("#said", { hasText: "3 classes fail" }).waitFor({ state: "attached" });
  });

  test("fits a narrow window, and shows what others wrote as text", async () => {
    await world.say({ namespace: "billing", name: "mail" }, { reason: "Conflict", message: "<img src=x onerror=alert(1)>" });
    await page.setViewportSize({ width: 320, height: 640 });
    await open("classes");
    await page.getByText("<img src=x onerror=alert(1)>").first().waitFor();

    assert.equal(await page.locator("img").count(), 0);
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 320);
    assert.deepEqual(await axeViolations(page), []);
    await page.setViewportSize({ width: 1_280, height: 720 });
    await world.say({ namespace: "billing", name: "mail" }, { reason: "Throttled", message: "the vault is throttling requests (429)" });
  });

  test("says that a Secret is gone which the worker wrote", async () => {
    await open("classes");
    await world.plane.kubectl(["delete", "secret", "ledger", "-n", "billing"]);
    const said = page.getByText("Secret billing/ledger does not exist: the status says that it was written");
    await said.waitFor();
    await world.addClass({ namespace: "billing", name: "ledger" }, { expires: -86_400_000 });
    await said.waitFor({ state: "detached" });
  });

  test("is filtered from the keyboard, and the address keeps the filter", async () => {
    await open("classes");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate("document.activeElement.textContent"), "Skip to the content");
    await page.getByLabel("Namespace").focus();
    await page.keyboard.type("billing");
    await classLink("shop/web").waitFor({ state: "detached" });
    await page.keyboard.press("Tab");
    await page.keyboard.type("throttling");
    await classLink("billing/ledger").waitFor({ state: "detached" });

    assert.equal(await classLink("billing/mail").count(), 1);
    // A part of the word matches the same rows, and the URL changes a moment after the last letter.
    await page.waitForURL(/ns=billing&q=throttling/);
    assert.match((await page.getByRole("link", { name: "Expiry calendar" }).getAttribute("href")) ?? "", /ns=billing/);
    await page.getByRole("combobox", { name: "State" }).selectOption("OK");
    await classLink("billing/mail").waitFor({ state: "detached" });
  });

  test("stands still while it is paused, and goes on after it", async () => {
    await open("classes");
    await page.getByRole("button", { name: "Pause updates" }).click();
    await world.addClass({ namespace: "shop", name: "late" });
    await eventually(async () => (await (await fetch(`${dashboard.url}classes?part=1`)).text()).includes("shop/late"), {
      what: "the class",
    });
    assert.equal(await page.getByText("shop/late").count(), 0);
    await page.getByLabel("Namespace").fill("billing");
    await classLink("shop/web").waitFor({ state: "detached" });
    await page.getByLabel("Namespace").fill("");
    await page.locator("#live", { hasText: "Paused, as of" }).waitFor();
    await page.getByRole("button", { name: "Pause updates" }).click();
    await page.getByText("shop/late").first().waitFor();
  });

  test("names each kind that the user may not list, and shows the rest", async () => {
    await world.plane.kubectl(["create", "serviceaccount", "reader", "-n", "shop"]);
    const rule = "--resource=secretproviderclasses.secrets-store.csi.x-k8s.io,secretproviderclasssyncs.keyvault-injector.dev";
    await world.plane.kubectl(["create", "clusterrole", "class-reader", "--verb=get,list,watch", rule]);
    await world.plane.kubectl([
      "create",
      "clusterrolebinding",
      "class-reader",
      "--clusterrole=class-reader",
      "--serviceaccount=shop:reader",
    ]);
    const limited = await startDashboard(await world.plane.kubeconfigFor({ namespace: "shop", name: "reader" }));
    try {
      await page.goto(limited.url);
      for (const plural of ["secrets", "pods", "secretproviderclasspodstatuses", "events", "leases"])
        await page.getByText(new RegExp(`^You lack permission to list and watch ${plural} in \\S+: the page does not show them`)).waitFor();
      const text = await page.locator("#main").innerText();

      assert.ok(text.includes("shop/queue") && text.includes("Forbidden"), text);
      assert.deepEqual(await axeViolations(page), []);
    } finally {
      await limited.stop();
    }
  });

  test("says since when the API server is lost, keeps what it knew, and recovers by itself", async () => {
    const { proxy, kubeconfig } = await proxiedKubeconfig(world.plane);
    const behind = await startDashboard(kubeconfig);
    try {
      await page.goto(behind.url);
      await page.getByText("shop/queue").first().waitFor();
      proxy.refusing = true;
      proxy.cut();
      await page.locator(".problem", { hasText: "No answer from the API server since" }).waitFor();
      assert.equal(await classLink("shop/queue").count(), 1);
      assert.match(await page.locator("#said").innerText(), /No answer from the API server/);
      proxy.refusing = false;
      await eventually(
        async () => {
          const texts = await page.locator(".problem", { hasText: "No answer from the API server since" }).allInnerTexts();
          if (texts.length > 0) throw new Error(texts.join());
          return true;
        },
        { within: 40_000, what: "the end of the loss" },
      );
      await world.addClass({ namespace: "shop", name: "after" });
      await page.getByText("shop/after").first().waitFor();
    } finally {
      await behind.stop();
      await proxy.stop();
    }
  });

  test("says when no worker renews its lease", async () => {
    await open("classes");
    const lease = ["-n", "keyvault-injector", "patch", "lease", "keyvault-injector-sync", "--type=merge", "-p"];
    await world.plane.kubectl([...lease, '{"spec":{"leaseDurationSeconds":1}}']);
    await page.locator(".problem", { hasText: "No worker leads" }).waitFor();
    await world.plane.kubectl([...lease, '{"spec":{"leaseDurationSeconds":36000}}']);
    await page.locator(".problem", { hasText: "No worker leads" }).waitFor({ state: "detached" });
  });

  test("ends with 0 by Ctrl-C, and the page says that it has", async () => {
    const short = await startDashboard(world.plane.kubeconfigPath);
    const other = await browser.newPage();
    await other.goto(short.url);
    await other.locator("#live", { hasText: "Live" }).waitFor();

    assert.equal(await short.interrupt(), 0);
    await other.getByText("Not live: the command has ended").first().waitFor();
    assert.deepEqual(short.output(), { stdout: `${short.url}\nPress Ctrl-C to stop.\n`, stderr: "" });
    await other.close();
  });

  test("runs without an error in the browser's console", () => {
    assert.deepEqual(problems, []);
  });
});
