import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { realNodeRefusal } from "../e2e/support/node.ts";
import { nodeState } from "../e2e/support/node-state.ts";
import { scenarios, seconds, skipUnless } from "../e2e/support/scenarios.ts";
import { type Flux, fluxRefusal, startFlux } from "../support/cluster/flux.ts";
import { HELM_VERSIONS, helmRefusal } from "../support/cluster/helm.ts";
import { damageScenarios } from "./scenarios/damage.ts";
import { lifeScenarios } from "./scenarios/life.ts";
import { fluxPlane } from "./support/flux-plane.ts";
import { type InstallWorld, NEXT_VERSION, startInstallWorld } from "./support/install-world.ts";
import { RELEASE, releaseRefusal } from "./support/released-image.ts";
import { fluxWay } from "./ways/flux.ts";
import { helm } from "./ways/helm.ts";
import { type Kustomize, kustomize } from "./ways/kustomize.ts";

const skip = skipUnless((await realNodeRefusal()) ?? helmRefusal() ?? fluxRefusal() ?? releaseRefusal());
let world: InstallWorld | undefined;
const scenario = scenarios(async () => (world === undefined ? "" : nodeState(world.node)));

describe("an install on a real node", { skip }, () => {
  let flux: Flux | undefined;
  let applied: Kustomize | undefined;
  const opened = (): InstallWorld => {
    assert.ok(world, "the node did not start: see the first failure");
    return world;
  };

  const byManifests = (): Kustomize => (applied ??= kustomize(opened()));

  before(async () => {
    const started = performance.now();
    world = await startInstallWorld((line) => console.log(`node: ${seconds(started)}: ${line}`));
  });
  after(async () => {
    await flux?.stop();
    await world?.stop();
  });

  // One node for all installs, one after the other: each install finds the leftovers of the previous one.
  const manifests = lifeScenarios(scenario, "kustomize", { world: opened, way: async () => byManifests() });
  manifests.install();
  manifests.upgrade(`from ${RELEASE.version}`);
  manifests.change();
  damageScenarios(scenario, opened, byManifests);
  manifests.works("after all damage");
  manifests.uninstall();

  for (const version of HELM_VERSIONS) {
    const chart = lifeScenarios(scenario, version, { world: opened, way: async () => helm(version, opened()) });
    chart.install();
    chart.change();
    chart.upgrade(`to ${NEXT_VERSION}`);
    chart.uninstall();
  }

  const git = lifeScenarios(scenario, "Flux", {
    world: opened,
    way: async () => {
      flux = await startFlux(fluxPlane(opened().node));
      return fluxWay(opened(), flux);
    },
  });
  git.install();
  git.change();
  git.upgrade(`to ${NEXT_VERSION}`);
  git.uninstall();
});
