import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { API_SERVER_VERSIONS } from "../support/cluster/api-server-versions.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { chartObjects, helmRefusal } from "../support/cluster/helm.ts";
import { folderManifests, installDefinitions, MANIFESTS, type Manifest, parseManifests } from "../support/cluster/shipped-manifests.ts";

/** Kinds of other products, which we do not install: cert-manager, the Prometheus operator, Flux and Argo CD. */
const FOREIGN = /^(cert-manager\.io|monitoring\.coreos\.com|argoproj\.io|(kustomize|source)\.toolkit\.fluxcd\.io)\//;
/** Folders that an older API server rejects, with the field that it does not know. Another folder exists for older API servers. */
const ONLY_NEWER: Readonly<Record<string, string>> = { "components/csi-driver": "serviceAccountTokenInSecrets" };
const NAMESPACES = ["keyvault-injector", "examples"];

/** All folders that a user can apply, and all files of a release and of the examples. Users do not apply transformers. */
const folders = globSync("**/kustomization.yaml", { cwd: MANIFESTS })
  .map((file) => path.dirname(file))
  .filter(
    (folder) =>
      !folder.endsWith("namespace-references") &&
      // Transformers change the objects of other folders and contain none.
      !folder.startsWith("installed-pods") &&
      parseManifests(read(`${folder}/kustomization.yaml`))[0]?.kind === "Kustomization",
  )
  .sort();
/** A release's chart values are not a manifest. */
const files = globSync(["releases/**/*.yaml", "examples/**/*.yaml"], { cwd: MANIFESTS })
  .filter((file) => path.basename(file) !== "values.yaml")
  .sort();

const NO_HELM = helmRefusal();
const DRIVER = "secrets-store-csi-driver";
/** The chart with its defaults, and with everything that values can add. */
const RENDERINGS: Readonly<Record<string, readonly string[]>> = {
  "with its defaults": [],
  "with all that it has": [
    `${DRIVER}.syncSecret.enabled=true`,
    `${DRIVER}.enableSecretRotation=true`,
    `${DRIVER}.windows.enabled=true`,
    "windows.enabled=true",
    "openshift=true",
    "classAuthors=deny",
    "secretAccess=blind",
    "networkPolicies.enabled=true",
    "Azure.proxySettings.isProxyEnabled=true",
    "Azure.proxySettings.httpsProxy=http://proxy.example.com:3128",
    "Azure.proxySettings.proxyCert=PEM",
    "sync.podLabels.team=platform",
    "sync.podAnnotations.note=text",
    "webhook.tolerations[0].operator=Exists",
    `${DRIVER}.commonLabels.team=platform`,
    `${DRIVER}.linux.podAnnotations.note=text`,
    `${DRIVER}.linux.additionalProvidersDirs={/a,/b}`,
    `${DRIVER}.linux.env[0].name=ONE`,
    `${DRIVER}.linux.env[0].value=two`,
    `${DRIVER}.automountServiceAccountToken=false`,
    "linux.podAnnotations.note=text",
    "linux.customUserAgent=agent",
    "imagePullSecrets[0].name=registry-credentials",
  ],
};

/** This kind is stable from Kubernetes 1.36 on. */
const NEWER_KIND = { folder: "overlays/policy", refusal: /no matches for kind "MutatingAdmissionPolicy"/ };

function read(file: string): string {
  return readFileSync(path.join(MANIFESTS, file), "utf8");
}

/** Fills in the placeholders of the examples, and removes the document's empty `cloudName`, which a server-side apply rejects. */
function filledIn(text: string): string {
  return text.replaceAll(/<([A-Za-z-]+)>/g, "$1").replaceAll(/^ *cloudName:[ \t]*(#.*)?\n/gm, "");
}

for (const version of API_SERVER_VERSIONS) {
  const refusal = controlPlaneRefusal({ version });
  describe(`every manifest, on API server ${version}`, { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
    let plane: ControlPlane;
    before(async () => {
      plane = await startControlPlane({ version, controllerManager: false });
      await installDefinitions(plane);
      for (const namespace of NAMESPACES) {
        await plane.kubectl(["create", "namespace", namespace]);
        await plane.kubectl(["create", "serviceaccount", "default", "-n", namespace]);
      }
      // A dry run does not store the account that Helm creates before its test pod, and the API server requires it for the pod.
      await plane.kubectl(["create", "serviceaccount", "keyvault-injector-doctor", "-n", "keyvault-injector"]);
    });
    after(async () => {
      await plane?.stop();
    });

    /** Sends the manifests as a dry run. Rejects with the API server's error. Unknown fields are an error. */
    async function dryRun(manifests: readonly Manifest[]): Promise<void> {
      const items = manifests.filter(({ apiVersion }) => !FOREIGN.test(apiVersion));
      if (items.length === 0) return;
      const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
      const flags = ["--dry-run=server", "--server-side", "--force-conflicts", "--validate=strict", "-n", "examples"];
      // Objects that name a namespace go there. kubectl rejects a namespace flag that contradicts them.
      const namespaced = items.some(({ metadata }) => metadata.namespace !== undefined);
      await plane.kubectl(["apply", ...(namespaced ? flags.slice(0, -2) : flags), "-f", "-"], list);
    }

    const isRefused = (folder: string): boolean => version !== API_SERVER_VERSIONS[0] && folder in ONLY_NEWER;
    for (const folder of folders.filter(isRefused)) {
      test(`is refused for its newer field, and has a folder without it: ${folder}`, async () => {
        const newer = await folderManifests(folder);
        await assert.rejects(dryRun(newer), new RegExp(`unknown field "${ONLY_NEWER[folder]}"`));
        assert.ok(folders.includes(`${folder}-before-1.35`));
      });
    }
    const isOfNewerKind = (folder: string): boolean => version !== API_SERVER_VERSIONS[0] && folder === NEWER_KIND.folder;
    test("is refused for a kind that it does not know, where injection is by policy", {
      skip: !isOfNewerKind(NEWER_KIND.folder),
    }, async () => {
      await assert.rejects(dryRun(await folderManifests(NEWER_KIND.folder)), NEWER_KIND.refusal);
    });
    for (const folder of folders.filter((each) => !isRefused(each) && !isOfNewerKind(each))) {
      test(`passes a server-side dry run: ${folder}`, async () => {
        await dryRun(await folderManifests(folder));
      });
    }
    const isNewer = (file: string): boolean => version !== API_SERVER_VERSIONS[0] && file.endsWith("/node-side.yaml");
    for (const file of files.filter(isNewer)) {
      test(`is refused for its newer field, as the page on installing says: ${file}`, async () => {
        await assert.rejects(dryRun(parseManifests(read(file))), /unknown field "serviceAccountTokenInSecrets"/);
      });
    }
    for (const file of files.filter((each) => !isNewer(each))) {
      test(`passes a server-side dry run: ${file}`, () => dryRun(parseManifests(filledIn(read(file)))));
    }

    for (const [name, set] of Object.entries(RENDERINGS)) {
      test(`passes a server-side dry run: the chart ${name}`, { skip: NO_HELM === undefined ? false : `SKIPPED: ${NO_HELM}` }, async () => {
        await dryRun(await chartObjects("helm-4", { kubernetes: `${version}.0`, set }));
      });
    }

    test("is refused with a field that the API server does not know, and with a policy that does not compile", async () => {
      const [policy] = parseManifests(read("policies/pod-volume.yaml"));
      assert.ok(policy);
      await assert.rejects(dryRun([{ ...policy, invented: {} }]), /invented/);
      const broken = { ...policy, spec: { ...Object(policy["spec"]), validations: [{ expression: "object.spec.volumes.size(" }] } };
      await assert.rejects(dryRun([broken]), /compilation failed/);
    });
  });
}
