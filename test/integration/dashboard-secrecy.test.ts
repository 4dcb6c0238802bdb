import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { runCli } from "../support/cli/cli.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { type Dashboard, startDashboard } from "../support/dashboard/dashboard.ts";
import { foundInMemory } from "../support/dashboard/memory.ts";
import { aMirroredSecret } from "../support/dashboard/objects.ts";
import { type RecordingProxy, startRecordingProxy } from "../support/dashboard/recording-proxy.ts";
import { type DashboardWorld, startDashboardWorld, VALUE } from "../support/dashboard/world.ts";
import { eventually } from "../support/time/eventually.ts";
import { encodingsOf, findLeaks } from "../support/worker/canary.ts";

const refusal = controlPlaneRefusal();

const PATHS = [
  "",
  "classes",
  "class?ns=shop&name=web",
  "secrets",
  "objects",
  "object?vault=https%3A%2F%2Fshop-vault.vault.azure.net&object=secret%2Fweb",
  "calendar",
  "timeline",
  "repairs",
  "vaults",
  "script.js",
  "style.css",
];

/** Version of an object in the dashboard's data. The search for leaks must find it, which proves that the search works. */
const CONTROL = "canary-control-81b0e6a3-is-to-be-found";

/** Forms of the value in which it could leak: as it is and as JSON, URLs and base64 encode it, in both character widths of V8's heap. */
const needlesOf = (value: string): readonly Buffer[] =>
  [...encodingsOf(value).values()].flatMap((text) => [Buffer.from(text, "utf8"), Buffer.from(text, "utf16le")]);

interface Asking {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

describe("the dashboard keeps to itself", { skip: refusal !== undefined && `SKIPPED: ${refusal}` }, () => {
  let world: DashboardWorld;
  let recorded: RecordingProxy;
  let dashboard: Dashboard;

  before(async () => {
    world = await startDashboardWorld();
    recorded = await startRecordingProxy(world.plane);
    await world.write(RESOURCES.secrets, aMirroredSecret({ namespace: "shop", name: "queue" }, VALUE, CONTROL));
    dashboard = await startDashboard(recorded.kubeconfig);
    await eventually(async () => (await pages()).includes(CONTROL), { what: "all that is watched" });
  });
  after(async () => {
    await dashboard?.stop();
    await recorded?.stop();
    await world?.stop();
  });

  async function pages(): Promise<string> {
    const texts = await Promise.all(PATHS.map(async (path) => (await fetch(`${dashboard.url}${path}`)).text()));
    return texts.join("\n");
  }

  /** Sends a request with any Host header, which `fetch` does not allow. */
  function ask({ path, method = "GET", headers = {} }: Asking): Promise<{ readonly status: number; readonly text: string }> {
    const { port, pathname } = new URL(dashboard.url);
    return new Promise((resolve, reject) => {
      const call = request({ host: "127.0.0.1", port, path: path ?? pathname, method, headers }, (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
      });
      call.on("error", reject);
      call.end();
    });
  }

  test("no value is in a page, in what the API server sent, in the output, or in the memory, after changes of all Secrets", async () => {
    for (const name of ["web", "queue"]) await world.addClass({ namespace: "shop", name: `${name}-2` });
    await world.write(RESOURCES.secrets, aMirroredSecret({ namespace: "shop", name: "web" }, `${VALUE}-again`));
    await eventually(async () => (await pages()).includes("shop/queue-2"), { what: "the new classes" });
    const shown = await pages();
    const { stdout, stderr } = dashboard.output();
    const texts = [
      { name: "page", text: shown },
      { name: "answers", text: recorded.answers().toString("latin1") },
      { name: "requests", text: recorded.paths.join("\n") },
      { name: "output", text: stdout + stderr },
    ];
    const memory = foundInMemory(dashboard.pid, needlesOf(VALUE));

    assert.deepEqual(findLeaks([VALUE], texts), []);
    assert.deepEqual(memory.found.map(String), []);
    assert.ok(memory.bytes > 50 * 1024 * 1024, `${memory.bytes} bytes were looked through`);
    // The control: the same search finds a value that is present.
    assert.deepEqual(
      findLeaks([CONTROL], texts)
        .filter(({ encoding }) => encoding === "plain")
        .map(({ where }) => where),
      ["page", "answers"],
    );
    assert.notEqual(foundInMemory(dashboard.pid, needlesOf(CONTROL)).found.length, 0);
    console.log(
      `0 values in ${shown.length} characters of pages, ${recorded.answers().length} bytes of answers, ${memory.bytes} bytes of memory`,
    );
  });

  test("asks for the metadata of Secrets alone, and for nothing but lists, watches and one object", () => {
    const ofSecrets = [...recorded.accepted].filter(([path]) => path.includes("/secrets?"));
    assert.ok(ofSecrets.length >= 2);
    for (const [path, accept] of ofSecrets)
      assert.match(accept, /^application\/json;as=PartialObjectMetadata(List)?;g=meta\.k8s\.io;v=v1$/, path);
    assert.deepEqual(
      recorded.paths.filter((path) => !path.startsWith("GET ")),
      [],
    );
    assert.deepEqual(
      recorded.paths.filter((path) => !path.includes("?")),
      ["GET /apis/apps/v1/namespaces/keyvault-injector/deployments/keyvault-injector-sync"],
    );
  });

  const REFUSED: Readonly<Record<string, () => Asking>> = {
    "another Host": () => ({ headers: { host: "attacker.example" } }),
    "another port in Host": () => ({ headers: { host: "127.0.0.1:1" } }),
    "another Origin": () => ({ headers: { ...own(), origin: "http://attacker.example" } }),
    "another port in Origin": () => ({ headers: { ...own(), origin: "http://127.0.0.1:1" } }),
    "no origin": () => ({ headers: { ...own(), origin: "null" } }),
    "another site": () => ({ headers: { ...own(), "sec-fetch-site": "cross-site" } }),
    "another port of the host": () => ({ headers: { ...own(), "sec-fetch-site": "same-site" } }),
    "no token": () => ({ path: "/", headers: own() }),
    "another token": () => ({ path: `/${"x".repeat(32)}/classes`, headers: own() }),
    "the token as a query": () => ({ path: `/?${new URL(dashboard.url).pathname.slice(1, -1)}`, headers: own() }),
  };
  const own = (): Readonly<Record<string, string>> => ({ host: new URL(dashboard.url).host });

  for (const [name, asking] of Object.entries(REFUSED)) {
    test(`refuses ${name}, and says nothing of the cluster`, async () => {
      const { status, text } = await ask(asking());

      assert.equal(status, 403);
      assert.doesNotMatch(text, /shop|web/);
    });
  }

  test("answers its own address, and no method but GET", async () => {
    const { host, pathname } = new URL(dashboard.url);
    const port = host.replace("127.0.0.1", "localhost");
    const same = { host, origin: `http://${host}`, "sec-fetch-site": "same-origin" };

    assert.equal((await ask({ headers: same })).status, 200);
    assert.equal((await ask({ headers: { host: port } })).status, 200);
    assert.equal((await ask({ path: pathname.slice(0, -1), headers: own() })).status, 308);
    assert.equal((await ask({ path: `${pathname}nothing`, headers: own() })).status, 404);
    for (const method of ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"]) assert.equal((await ask({ method, headers: own() })).status, 405);
  });

  test("lets no page embed it, no script but its own in, and nothing keep what it says", async () => {
    const answer = await fetch(dashboard.url);
    const policy = answer.headers.get("content-security-policy") ?? "";

    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.equal(answer.headers.get("referrer-policy"), "no-referrer");
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
    assert.equal(answer.headers.get("set-cookie"), null);
    assert.ok(!(await answer.text()).includes(new URL(dashboard.url).pathname.slice(1, -1)), "the page has its own token");
  });

  test("says that its port is taken, and ends with 2", async () => {
    const { port } = new URL(dashboard.url);
    const { code, stdout, stderr } = await runCli(["dashboard", "--port", port], { kubeconfig: recorded.kubeconfig });

    assert.deepEqual([code, stdout], [2, ""]);
    assert.equal(
      stderr,
      `keyvault-injector dashboard: --port: cannot listen on 127.0.0.1:${port} (EADDRINUSE); omit --port to use a free port\n`,
    );
  });

  test("tells at most sixteen pages of changes, and others that there are too many", async () => {
    const stop = new AbortController();
    const open = await Promise.all(Array.from({ length: 16 }, () => fetch(`${dashboard.url}live`, { signal: stop.signal })));

    assert.ok(open.every(({ status }) => status === 200));
    assert.equal((await fetch(`${dashboard.url}live`)).status, 503);
    stop.abort();
    await eventually(
      async () => {
        const again = new AbortController();
        const { status } = await fetch(`${dashboard.url}live`, { signal: again.signal });
        again.abort();
        return status === 200;
      },
      { what: "room for a page" },
    );
  });
});
