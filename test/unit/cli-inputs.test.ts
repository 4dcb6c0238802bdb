import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { access, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import type { CommandResult } from "../../src/cli/shared/command.ts";
import { createInputs } from "../../src/cli/shared/manifest-files.ts";
import { runCli, runOffline } from "../support/cli/cli.ts";

const service = (name: string): string => `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\n`;
const inputs = createInputs({ proxy: () => undefined, signal: new AbortController().signal });
const run = (...argv: string[]): Promise<CommandResult> => runOffline(argv, "", { inputs });
const namesIn = (text: string): readonly string[] => [...text.matchAll(/^ {2}name: (.+)$/gm)].map(([, name = ""]) => name);
const KUBECTL = "/usr/bin:/usr/local/bin".split(":").map((folder) => path.join(folder, "kubectl"));
const hasKubectl = (await Promise.allSettled(KUBECTL.map((file) => access(file)))).some(({ status }) => status === "fulfilled");

describe("manifests are named", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "inputs-"));
    await mkdir(path.join(folder, "more"));
    await mkdir(path.join(folder, "empty"));
    for (const name of ["b.yaml", "a.yml", "c.json", "more/d.yaml"]) {
      const text = name.endsWith(".json")
        ? JSON.stringify({ apiVersion: "v1", kind: "Service", metadata: { name: "c" } })
        : service(path.basename(name)[0] ?? "");
      await writeFile(path.join(folder, name), text);
    }
    await writeFile(path.join(folder, "notes.txt"), "no: manifest\n");
  });
  after(() => rm(folder, { recursive: true }));

  test("as words, as behind -f", async () => {
    const { code, output } = await run("render", path.join(folder, "b.yaml"), path.join(folder, "a.yml"));

    assert.deepEqual([code, namesIn(output)], [0, ["b", "a"]]);
    assert.match((await run("explain", path.join(folder, "b.yaml"))).output, /^service\/b in namespace default: Unsupported/);
  });

  test("N14: by commas behind one -f, as kubectl takes them", async () => {
    const { code, output } = await run("render", "-f", [path.join(folder, "b.yaml"), path.join(folder, "a.yml")].join(","));

    assert.deepEqual([code, namesIn(output)], [0, ["b", "a"]]);
  });

  test("N14: and one that is missing is an error with nothing printed, as the help says", async () => {
    const { code, output } = await run("render", path.join(folder, "gone.yaml"), path.join(folder, "b.yaml"));

    assert.deepEqual([code, output], [2, ""]);
    assert.match(
      (await run("render", "-h")).output,
      /2 if a file is unreadable \(nothing is printed\) or a document is unreadable \(the other documents are printed\)/,
    );
  });

  test("N15: as - for standard input, by explain as by render", async () => {
    for (const command of ["explain", "render"]) {
      const { code, output } = await runOffline([command, "-"], service("b"));

      assert.equal(code, 0);
      assert.match(output, command === "explain" ? /^service\/b in/ : /name: b/);
    }
  });

  test("as a folder, whose folders -R reads as well", async () => {
    const [flat, deep] = [await run("render", "-f", folder), await run("render", "-R", "-f", folder)];

    assert.deepEqual([flat.code, namesIn(flat.output)], [0, ["a", "b", "c"]]);
    assert.deepEqual([deep.code, namesIn(deep.output)], [0, ["a", "b", "c", "d"]]);
  });

  test("as a folder without any, which is told", async () => {
    const { code, notes } = await run("render", "-f", path.join(folder, "empty"));

    assert.equal(code, 2);
    assert.match(notes.join("\n"), /empty has no file that ends in \.yaml, \.yml or \.json/);
  });

  test("and hold no object, which is told", async () => {
    const empty = path.join(folder, "nothing.yaml");
    await writeFile(empty, "# nothing\n---\n");
    const results = [await run("render", empty), await run("explain", "-f", empty), await runOffline(["render", "-f", "-"], "")];
    await rm(empty);

    assert.deepEqual(
      results.map(({ code, output, notes }) => [code, output, notes]),
      [
        [2, "", [`keyvault-injector render: no objects in ${empty}`]],
        [2, "", [`keyvault-injector explain: no objects in ${empty}`]],
        [2, "", ["keyvault-injector render: no objects in standard input"]],
      ],
    );
  });

  test("as a kustomization, built by kubectl", { skip: hasKubectl ? false : "there is no kubectl" }, async () => {
    await writeFile(path.join(folder, "kustomization.yaml"), "namePrefix: shop-\nresources: [a.yml]\n");
    const good = await runCli(["render", "--offline", "-k", folder], { environment: { PATH: "/usr/bin:/usr/local/bin" } });
    await rm(path.join(folder, "kustomization.yaml"));

    assert.deepEqual([good.code, namesIn(good.stdout), good.stderr], [0, ["shop-a"], ""]);
  });

  test("as a kustomization without a kubectl, which is told", async () => {
    const { code, stdout, stderr } = await runCli(["render", "--offline", "-k", folder], { environment: { PATH: folder } });

    assert.deepEqual([code, stdout], [2, ""]);
    assert.equal(
      stderr,
      `keyvault-injector render: -k ${folder}: kubectl, which builds kustomizations, is not on PATH; install it, or pipe the build to -f -\n`,
    );
  });
});

describe("a folder of manifests that somebody else may write", () => {
  let root = "";
  let folder = "";
  before(async () => {
    root = await mkdtemp(path.join(tmpdir(), "hostile-"));
    await writeFile(path.join(root, "outside.yaml"), service("outside"));
  });
  beforeEach(async () => {
    folder = await mkdtemp(path.join(root, "folder-"));
    await writeFile(path.join(folder, "a.yaml"), service("a"));
  });
  after(() => rm(root, { recursive: true }));

  test("AT-7: has nothing of another folder printed by a link", async () => {
    await symlink(path.join(root, "outside.yaml"), path.join(folder, "b.yaml"));

    const { code, output, notes } = await run("render", "-f", folder);

    assert.deepEqual([code, output], [2, ""]);
    assert.match(notes.join(), /b\.yaml is a link to a file outside of its folder; name that file with -f if you mean it/);
    assert.equal((await run("render", path.join(folder, "b.yaml"))).code, 0, "whoever names it means it");
  });

  test("may have links within itself, as the folder of a mounted ConfigMap has", async () => {
    await mkdir(path.join(folder, "..2026"));
    await writeFile(path.join(folder, "..2026", "b.yaml"), service("b"));
    await symlink("..2026", path.join(folder, "..data"));
    await symlink(path.join("..data", "b.yaml"), path.join(folder, "b.yaml"));

    const { code, output } = await run("render", "-f", folder);

    assert.deepEqual([code, namesIn(output)], [0, ["a", "b"]]);
  });

  for (const [what, make] of [
    ["a link to what never ends", (file: string) => symlink("/dev/zero", file)],
    ["a pipe that nobody writes", async (file: string) => void execFileSync("mkfifo", [file])],
  ] as const) {
    test(`AT-7: does not have ${what} read`, { timeout: 30_000 }, async () => {
      await make(path.join(folder, "b.yaml"));

      const { code, notes } = await run("render", "-f", folder);

      assert.equal(code, 2);
      assert.match(notes.join(), /b\.yaml is (?:not a regular file|a link to a file outside)/);
    });
  }

  test("AT-7: and of what never ends no more is read than a file may have, where somebody names it", { timeout: 60_000 }, async () => {
    const { code, notes } = await run("render", "/dev/zero");

    assert.equal(code, 2);
    assert.match(notes.join(), /\/dev\/zero is larger than 64 MiB; split it into several files/);
  });
});

describe("an address of manifests", () => {
  let server: Server;
  let origin = "";
  before(async () => {
    server = createServer(({ url = "" }, response) => {
      if (url === "/a.yaml") response.end(service("a"));
      else if (url === "/moved") response.writeHead(302, { location: "/a.yaml" }).end();
      else if (url === "/round") response.writeHead(302, { location: "/round" }).end();
      else if (url === "/nowhere") response.writeHead(302, { location: "//[" }).end();
      else if (url === "/file") response.writeHead(302, { location: "file:///etc/passwd" }).end();
      else response.writeHead(404).end("not here");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  test("is read, and where it leads to", async () => {
    for (const name of ["a.yaml", "moved"]) {
      const { code, output } = await run("render", "-f", `${origin}/${name}`);

      assert.deepEqual([code, namesIn(output)], [0, ["a"]], name);
    }
  });

  for (const [name, why] of [
    ["b.yaml?token=hunter2", "/b.yaml cannot be read (HTTP 404)"],
    ["round", "/round cannot be read (more than 5 redirects)"],
    ["nowhere", "/nowhere cannot be read (it redirects to no address of http or https)"],
    ["file", "/file cannot be read (it redirects to no address of http or https)"],
  ] as const) {
    test(`that gives none is told without what stands behind its path: ${name}`, async () => {
      const { code, output, notes } = await run("render", "-f", `${origin}/${name}`);

      assert.deepEqual([code, output], [2, ""]);
      assert.ok(notes[0]?.includes(`${origin}${why}`), notes.join("\n"));
      assert.doesNotMatch(notes.join("\n"), /hunter2/);
    });
  }

  test("where nobody listens is told", async () => {
    assert.match((await run("render", "-f", "http://127.0.0.1:1/a.yaml")).notes.join("\n"), /cannot be read \(ECONNREFUSED\)/);
  });
});
