import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { z } from "zod";
import { REPOSITORY, readRepositoryFile } from "../../tools/repository-files.ts";
import { codeSpans, fencedBlocks, tables } from "../support/docs/markdown.ts";

const FILE = "manifests/gitops/azure-arc/flux-configuration.json";
const text = readRepositoryFile(FILE);
const page = readRepositoryFile("docs/how-to/install-on-azure-arc.md");

/** The resource as Azure's public API specification (version 2023-05-01) describes it, without unused fields. */
const kustomization = z.strictObject({
  path: z.string(),
  dependsOn: z.array(z.string()),
  timeoutInSeconds: z.int().positive(),
  syncIntervalInSeconds: z.int().positive(),
  retryIntervalInSeconds: z.int().positive(),
  prune: z.boolean(),
  force: z.boolean(),
  wait: z.boolean(),
});

const fluxConfiguration = z.strictObject({
  type: z.literal("Microsoft.KubernetesConfiguration/fluxConfigurations"),
  apiVersion: z.literal("2023-05-01"),
  name: z.string(),
  scope: z.string(),
  dependsOn: z.array(z.string()),
  properties: z.strictObject({
    scope: z.enum(["cluster", "namespace"]),
    namespace: z.string().regex(/^[a-z0-9.-]{1,253}$/),
    sourceKind: z.literal("GitRepository"),
    suspend: z.boolean(),
    gitRepository: z.strictObject({
      url: z.string(),
      timeoutInSeconds: z.int().positive(),
      syncIntervalInSeconds: z.int().positive(),
      repositoryRef: z.strictObject({ branch: z.string() }),
    }),
    kustomizations: z.record(z.string(), kustomization),
  }),
});

/** The extension Flux: unlike the command line, a template does not install it automatically. */
const fluxExtension = z.strictObject({
  type: z.literal("Microsoft.KubernetesConfiguration/extensions"),
  apiVersion: z.literal("2023-05-01"),
  name: z.string(),
  scope: z.string(),
  identity: z.strictObject({ type: z.literal("SystemAssigned") }),
  properties: z.strictObject({
    extensionType: z.literal("microsoft.flux"),
    autoUpgradeMinorVersion: z.boolean(),
    scope: z.strictObject({ cluster: z.strictObject({ releaseNamespace: z.string() }) }),
  }),
});

const templateShape = z.strictObject({
  $schema: z.url(),
  contentVersion: z.literal("1.0.0.0"),
  parameters: z.record(
    z.string(),
    z.strictObject({
      type: z.literal("string"),
      defaultValue: z.string().optional(),
      metadata: z.strictObject({ description: z.string() }),
    }),
  ),
  variables: z.record(z.string(), z.string()),
  resources: z.tuple([fluxExtension, fluxConfiguration]),
});

function problemsOf(json: string): readonly string[] {
  const { success, data, error } = templateShape.safeParse(JSON.parse(json));
  if (!success) return error.issues.map(({ path: where, message }) => `${where.join(".")}: ${message}`);
  const names = Object.keys(data.parameters);
  const named = [...json.matchAll(/parameters\('(\w+)'\)/g)].map(([, name = ""]) => name);
  const variables = [...json.matchAll(/variables\('(\w+)'\)/g)].map(([, name = ""]) => name);
  const [extension, configuration] = data.resources;
  const { kustomizations } = configuration.properties;
  return [
    ...names.filter((name) => !named.includes(name)).map((name) => `parameter ${name} is used nowhere`),
    ...named.filter((name) => !names.includes(name)).map((name) => `no parameter ${name}`),
    ...variables.filter((name) => !(name in data.variables)).map((name) => `no variable ${name}`),
    ...(configuration.dependsOn.some((on) => on.includes(`'${extension.type}', '${extension.name}'`)) ? [] : ["Flux is not waited for"]),
    ...Object.entries(kustomizations).flatMap(([name, { path: folder, dependsOn }]) => [
      ...dependsOn.filter((on) => !(on in kustomizations)).map((on) => `${name}: no kustomization ${on}`),
      ...(isFolder(folder, data.parameters) ? [] : [`${name}: no folder ${folder}`]),
    ]),
  ];
}

/** Whether the value, or the default of the parameter that it names, is a folder that a user can apply. */
function isFolder(value: string, parameters: z.infer<typeof templateShape>["parameters"]): boolean {
  const [, parameter] = /^\[parameters\('(\w+)'\)\]$/.exec(value) ?? [];
  const folder = parameter === undefined ? value : parameters[parameter]?.defaultValue;
  return folder !== undefined && existsSync(path.join(REPOSITORY, folder, "kustomization.yaml"));
}

const template = templateShape.parse(JSON.parse(text));

describe("the template for Azure Arc", () => {
  test("has the shape of a Flux configuration, with Flux before it, and names folders that are there", () => {
    assert.deepEqual(problemsOf(text), []);
  });

  test("would be found to have another", () => {
    const planted: readonly (readonly [string, string])[] = [
      ['"sourceKind": "GitRepository"', '"sourceKind": "Git"'],
      ['"prune": false', '"prune": "false"'],
      ['"wait": true', '"waits": true'],
      ["parameters('RepositoryUrl')", "parameters('Repository')"],
      ["variables('cluster')", "variables('clusters')"],
      ['"dependsOn": ["driver"]', '"dependsOn": ["drivers"]'],
      ["manifests/components/azure-provider", "manifests/components/azure"],
      ["manifests/overlays/default", "manifests/overlays/none"],
      ["'flux')]", "'fluxes')]"],
    ];
    for (const [from, to] of planted) {
      assert.ok(text.includes(from), from);
      assert.notDeepEqual(problemsOf(text.replace(from, to)), [], `${from} as ${to}`);
    }
  });

  test("brings the definitions first and never prunes them", () => {
    const { crds, ...others } = template.resources[1].properties.kustomizations;
    assert.equal(crds?.path, "manifests/crds");
    assert.deepEqual(crds.dependsOn, []);
    assert.equal(crds.prune, false);
    for (const [name, { dependsOn }] of Object.entries(others)) assert.notDeepEqual(dependsOn, [], name);
  });

  test("is deployed by the page's command line, with every parameter that has no default", () => {
    const command = fencedBlocks(page).find(({ text: block }) => block.includes("az deployment group create"))?.text ?? "";
    const [, given = ""] = /--parameters (.*)$/m.exec(command) ?? [];
    const required = Object.entries(template.parameters).filter(([, { defaultValue }]) => defaultValue === undefined);
    assert.match(command, new RegExp(`--template-file ${FILE.replaceAll(".", "\\.")}`));
    assert.deepEqual(
      given.split(" ").map((each) => each.split("=")[0]),
      required.map(([name]) => name),
    );
    for (const [, variable = ""] of given.matchAll(/=\$(\w+)/g)) assert.match(command, new RegExp(`^export ${variable}=<`, "m"));
  });

  test("has its parameters and defaults on the page", () => {
    const rows = tables(page).find(({ header }) => header[0] === "Parameter")?.rows ?? [];
    assert.deepEqual(
      rows.map(([name = "", fallback = ""]) => [codeSpans(name)[0], codeSpans(fallback)[0]]),
      Object.entries(template.parameters).map(([name, { defaultValue }]) => [name, defaultValue]),
    );
  });
});
