/** The page whose commands `npm run test:first-hour` runs on real nodes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { readSteps } from "../e2e/support/tutorial.ts";
import { commandsOf, LIMITS, PAGE } from "../first-hour/support/way.ts";

const WAYS = ["Helm", "kubectl", "Flux"] as const;

describe("five commands to a pod that reads a secret", () => {
  test("are five at most, each way", () => {
    assert.deepEqual(
      readSteps(PAGE).map(({ heading }) => heading),
      WAYS,
    );
    for (const way of WAYS) assert.ok(commandsOf(way).length <= LIMITS.commands, way);
  });

  test("end alike: a pod with two annotations that prints the secret", () => {
    const [last, ...others] = WAYS.map((way) => commandsOf(way).at(-1));
    assert.match(last ?? "", /^kubectl run .* -- sh -c 'sleep 2; cat \/mnt\/secrets-store\/DemoSecret'$/);
    for (const other of others) assert.equal(other, last);
  });

  test("begin as the README and the page on installing do", () => {
    const [first = ""] = readSteps(PAGE)[0]?.commands.split("kubectl ") ?? [];
    assert.match(first, /^helm install /);
    for (const page of ["README.md", "docs/how-to/install.md"]) assert.ok(readRepositoryFile(page).includes(first), page);
  });
});
