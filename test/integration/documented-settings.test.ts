/** Kustomizations on pages that set flags of our Deployments: they must render, and healing must use the flags that they set. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { parseConfig } from "../../src/runtime/config.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import {
  listAt,
  MANIFESTS,
  type Manifest,
  type OwnKustomization,
  parseManifests,
  renderOwnKustomization,
} from "../support/cluster/shipped-manifests.ts";
import { fencedBlocks } from "../support/docs/markdown.ts";

const refusal = controlPlaneRefusal();
const PREFIX = "../keyvault-injector/manifests/";
const CLIENT_ID = "11111111-2222-3333-4444-555555555555";
const SYNC = "keyvault-injector-sync";

/** Page, and the flags that its kustomization adds. */
const PAGES: readonly (readonly [page: string, flags: readonly string[]])[] = [
  ["how-to/install", ["--restart-mode"]],
  ["how-to/restart-on-rotation", ["--respect-disruption-budgets", "--restart-mode", "--restart-window"]],
  ["how-to/rotate-in-seconds", ["--event-queues"]],
  ["how-to/tls-for-gateways", ["--gateway-classes", "--ingress-classes", "--tenant-id"]],
  ["reference/capacity", ["--shards"]],
];

function kustomizationOf(page: string): OwnKustomization {
  const blocks = fencedBlocks(readRepositoryFile(`docs/${page}.md`));
  const [block] = blocks.filter(({ text }) => text.includes(`transformers: [${PREFIX}installed-pods]`));
  assert.ok(block, page);
  const { resources, components = [], transformers = [], patches = [] } = parse(block.text) as OwnKustomization; // Kustomization on one of our pages.
  const below = (all: readonly string[]): readonly string[] => all.map((each) => each.replace(PREFIX, ""));
  return { patches, resources: below(resources), components: below(components), transformers: below(transformers) };
}

describe("the settings of a page", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  for (const [page, flags] of PAGES) {
    test(`P5: are arguments of the worker, and of the copy that healing goes by: ${page}`, async () => {
      const objects = parseManifests(await renderOwnKustomization(kustomizationOf(page)));
      const argsOf = (kind: string, ...steps: readonly string[]): readonly string[] => {
        const object = objects.find((each) => each.kind === kind && each.metadata.name === SYNC);
        return listAt(object, ...steps, "spec", "containers", 0, "args").map(String);
      };
      const args = argsOf("Deployment", "spec", "template");
      const shown = args.slice(1).map((arg) => arg.replace("<account>", "account").replace("<client id>", CLIENT_ID));
      const config = parseConfig(shown, {});

      assert.deepEqual(args, argsOf("PodTemplate", "template"));
      for (const flag of flags)
        assert.ok(
          args.some((arg) => arg.startsWith(`${flag}=`)),
          flag,
        );
      assert.ok(config.ok, config.ok ? "" : config.error.join("\n"));
    });
  }

  // Healing does not know an argument that a kustomization adds after its transformers. The policies would reject the worker's own repair.
  const components = globSync("components/*/kustomization.yaml", { cwd: MANIFESTS })
    .filter((file) => readFileSync(path.join(MANIFESTS, file), "utf8").includes("kind: Component"))
    .map((file) => path.dirname(file))
    // These two configure the component copies themselves.
    .filter((component) => !["components/component-healing", "components/no-component-healing"].includes(component));
  for (const component of components) {
    test(`SH-7: with a component that changes arguments, the copy that healing goes by has them, too: ${component}`, async () => {
      const objects = parseManifests(await renderOwnKustomization({ resources: ["overlays/default"], components: [component] }));
      const deployments = objects.filter(({ kind, metadata }) => kind === "Deployment" && metadata.name.startsWith("keyvault-injector-"));
      assert.ok(deployments.length > 0);
      for (const deployment of deployments) {
        const copy = objects.find(({ kind, metadata }) => kind === "PodTemplate" && metadata.name === deployment.metadata.name);
        const ofPods = (object: Manifest | undefined, ...steps: readonly string[]) =>
          listAt(object, ...steps, "spec", "containers", 0, "args");
        assert.deepEqual(ofPods(deployment, "spec", "template"), ofPods(copy, "template"));
      }
    });
  }
});
