import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, test } from "node:test";
import { runCli } from "../support/cli/cli.ts";
import { startStubApiServer } from "../support/processes/stub-api-server.ts";

/** Runs a command against a server with this answer, and counts the requests that the server got. */
async function against(argv: readonly string[], answer: (response: ServerResponse) => void, input = "") {
  let requests = 0;
  const server = await startStubApiServer((_request, response) => {
    requests += 1;
    answer(response);
  });
  const { code, stderr } = await runCli(argv, { kubeconfig: server.kubeconfig, input });
  await server.stop();
  return { code, said: stderr.replaceAll(/127\.0\.0\.1:\d+/g, "host"), requests };
}

const PAGE = { "content-type": "text/html" };
const COMMANDS = [["doctor"], ["where"], ["explain", "pod/a"], ["uninstall", "--prepare"]];
const ADVICE = "check the kubeconfig's server, or the network";

describe("an address that is not that of an API server", () => {
  for (const argv of COMMANDS) {
    test(`N4: is told as that, without repetition, where it answers with a page: ${argv.join(" ")}`, async () => {
      const { code, said, requests } = await against(argv, (response) => {
        response.writeHead(200, PAGE).end("<html>Sign in</html>");
      });

      const expected = `http://host of context stub answered, but not as a Kubernetes API server (no Kubernetes object); ${ADVICE}`;
      assert.deepEqual([code, said], [2, `keyvault-injector ${argv[0] ?? ""}: ${expected}\n`]);
      assert.ok(requests <= 4, `${requests} requests`); // Some commands make several reads at a time.
    });
  }

  for (const argv of COMMANDS) {
    for (const status of [302, 403]) {
      test(`N5: is told as that, without repetition, where it answers with HTTP ${status}: ${argv.join(" ")}`, async () => {
        const { code, said, requests } = await against(argv, (response) => {
          response.writeHead(status, { ...PAGE, location: "https://login.example/" }).end("<html>Sign in</html>");
        });

        const expected = `http://host of context stub answered with HTTP ${status}, but without the Status of a Kubernetes API server; ${ADVICE}`;
        assert.deepEqual([code, said], [2, `keyvault-injector ${argv[0] ?? ""}: ${expected}\n`]);
        assert.ok(requests <= 4, `${requests} requests`);
      });
    }
  }
});

describe("an address that answers everything with 404", () => {
  const pod = JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, spec: { containers: [] } });
  const commands = [...COMMANDS, ["doctor", "plan"], ["restore", "--list"], ["uninstall", "--undo"], ["explain", "-f", "-"]];
  for (const argv of commands) {
    test(`ST5: is not taken for a cluster without an install: ${argv.join(" ")}`, async () => {
      const { code, said, requests } = await against(argv, (response) => response.writeHead(404, PAGE).end("default backend - 404"), pod);

      const expected = `http://host of context stub answered with HTTP 404, but without the Status of a Kubernetes API server; ${ADVICE}`;
      assert.deepEqual(
        [code, said.replace("; add --offline to use the files alone", "")],
        [2, `keyvault-injector ${argv[0] ?? ""}: ${expected}\n`],
      );
      assert.ok(requests <= 4, `${requests} requests`);
    });
  }
});

describe("a load balancer without an API server behind it", () => {
  test("N5: is named after the repetitions", async () => {
    const { code, said, requests } = await against(["where"], (response) => {
      response.writeHead(502, PAGE).end("<html>Bad Gateway</html>");
    });

    const expected = `http://host of context stub answered with HTTP 502, but without the Status of a Kubernetes API server; ${ADVICE}`;
    assert.deepEqual([code, said], [2, `keyvault-injector where: ${expected}\n`]);
    assert.ok(requests > 4, `${requests} requests`);
  });
});
