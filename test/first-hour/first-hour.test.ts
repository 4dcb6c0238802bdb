/** Tests the commands of one page, from a node without images and a registry with a pushed release to a pod that prints its secret. */
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { REPOSITORIES } from "../../tools/release/make-release.ts";
import { VERSION } from "../../tools/repository-files.ts";
import { programRefusal } from "../e2e/support/binaries.ts";
import { INJECTOR_NAMESPACE } from "../e2e/support/install.ts";
import { type RealNode, realNodeRefusal } from "../e2e/support/node.ts";
import { PAUSE_IMAGE } from "../e2e/support/node-layout.ts";
import { scenarios, seconds, skipUnless } from "../e2e/support/scenarios.ts";
import { fluxPlane } from "../install/support/flux-plane.ts";
import { pushedReference } from "../release/support/made-release.ts";
import { fluxRefusal, startWholeFlux } from "../support/cluster/flux.ts";
import { HELM_VERSIONS, type HelmVersion } from "../support/cluster/helm.ts";
import { type Ground, prepareGround } from "./support/ground.ts";
import { commandsOf, excesses, type TypedCommand, totalSeconds, typeAll } from "./support/way.ts";

const skip = skipUnless((await realNodeRefusal()) ?? programRefusal(["registry", "source-controller", ...HELM_VERSIONS]) ?? fluxRefusal());
const scenario = scenarios();

interface Way {
  readonly heading: string;
  readonly helm?: HelmVersion;
  /** Starts the parts that the commands expect in the cluster. */
  readonly prepare?: (node: RealNode) => Promise<{ log(): string; stop(): Promise<void> }>;
  /** Returns the name of our image as pods refer to it. The argument is `<registry>/<repository>@<digest>`. */
  readonly named?: (image: string) => string;
}

const byHelm = (helm: HelmVersion): Way => ({ heading: "Helm", helm });

const WAYS: Readonly<Record<string, Way>> = {
  "helm-4": byHelm("helm-4"),
  "helm-3": byHelm("helm-3"),
  "kubectl apply -f": { heading: "kubectl", named: (image) => image.replace("@", `:${VERSION}@`) },
  Flux: { heading: "Flux", prepare: (node) => startWholeFlux(fluxPlane(node)) },
};

describe("the first hour", { skip }, () => {
  let ground: Ground | undefined;
  before(async () => {
    ground = await prepareGround();
  });
  after(() => ground?.stop());

  for (const [name, { heading, helm = "helm-4", prepare, named = (image: string) => image }] of Object.entries(WAYS)) {
    scenario.run(`by ${name} takes at most five commands and three minutes from an empty node to a secret in a pod`, async () => {
      assert.ok(ground, "nothing to install from: see the first failure");
      const { release } = ground;
      const began = performance.now();
      const node = await ground.openNode((line) => console.log(`node: ${seconds(began)}: ${line}`));
      let prepared: Awaited<ReturnType<NonNullable<Way["prepare"]>>> | undefined;
      try {
        assert.deepEqual(await imagesOn(node), [PAUSE_IMAGE]);
        prepared = await prepare?.(node);
        const terminal = await ground.openTerminal(node, helm);

        const typed = await typeAll(commandsOf(heading), (command) => terminal.type(here(command, release.place)));

        report(name, typed);
        assert.equal(typed.at(-1)?.printed.trim(), "MyExampleSecret");
        assert.deepEqual(excesses(typed), []);
        assert.deepEqual(await ownImages(node), [named(pushedReference(release, REPOSITORIES.image))]);
        if (name === "helm-4") await answersDoctor(node, pushedReference(release, REPOSITORIES.image));
      } catch (error) {
        if (prepared !== undefined) console.log(prepared.log());
        throw error;
      } finally {
        await prepared?.stop();
        await node.stop();
      }
    });
  }

  scenario.run("would be found too long, and too slow", async () => {
    const command = (took: number): TypedCommand => ({ command: "true", seconds: took, printed: "" });
    assert.deepEqual(excesses(Array.from({ length: 5 }, () => command(36))), []);
    assert.deepEqual(excesses(Array.from({ length: 6 }, () => command(31))), ["6 commands, and not 5", "186 seconds, and not 180"]);
  });
});

/** Replaces the page's registry with the test's, which has another address and no TLS. Nothing else on the page changes. */
function here(command: string, place: string): string {
  const placed = command.replaceAll("registry.example.com/platform", place);
  return command.startsWith("helm ") ? `${placed} --plain-http` : placed;
}

function report(name: string, typed: readonly TypedCommand[]): void {
  console.log(`first hour, ${name}: ${typed.length} commands, ${totalSeconds(typed).toFixed(1)} s until the pod has printed its secret`);
  for (const { command, seconds: took } of typed) console.log(`  ${took.toFixed(1).padStart(5)} s  ${command}`);
}

/** Returns the names of the images in the container runtime. */
async function imagesOn(node: RealNode): Promise<readonly string[]> {
  const names = await node.run("ctr", [
    "--address",
    `${node.directory}/containerd.sock`,
    "--namespace",
    "k8s.io",
    "images",
    "list",
    "--quiet",
  ]);
  return names.split("\n").filter((line) => line !== "" && !line.startsWith("sha256:"));
}

/** Like `docker run IMAGE doctor`: the pod specifies no command. */
async function answersDoctor(node: RealNode, image: string): Promise<void> {
  const run = ["run", "doctor", "--rm", "--attach", "--quiet", "--restart=Never", "--namespace=default", `--image=${image}`];
  // The pod's account has no permissions, which `doctor` reports as a finding.
  const printed = await node.kubectl([...run, "--", "doctor", "--no-vaults"]).catch((error: unknown) => String(error));
  assert.match(printed, /^(?:OK|WARN|FAIL|SKIP)\s+api\b/m);
}

/** Returns the images of our containers, as the pods name them. */
async function ownImages(node: RealNode): Promise<readonly string[]> {
  const pods = ["get", "pods", `--namespace=${INJECTOR_NAMESPACE}`, "--output=jsonpath={.items[*].spec.containers[*].image}"];
  return [...new Set((await node.kubectl(pods)).split(" ").filter(Boolean))];
}
