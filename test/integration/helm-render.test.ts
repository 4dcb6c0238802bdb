import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { before, describe, test } from "node:test";
import { VERSION } from "../../tools/repository-files.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import {
  CHART,
  chartObjects,
  HELM_VERSIONS,
  type HelmVersion,
  helmRefusal,
  type Rendering,
  renderChart,
  runHelm,
} from "../support/cluster/helm.ts";
import {
  at,
  folderManifests,
  MANIFESTS,
  type Manifest,
  type OwnKustomization,
  parseManifests,
  readManifests,
  renderFolder,
  renderOwnKustomization,
} from "../support/cluster/shipped-manifests.ts";

const refusal = controlPlaneRefusal() ?? helmRefusal();
const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;

const NODE_SIDE = ["components/csi-driver", "components/azure-provider"];

interface Pair {
  readonly name: string;
  readonly set: readonly string[];
  readonly folders: readonly string[];
  readonly kubernetes?: string;
}

/** Values of the chart, and the folders that render the same objects. */
const PAIRS: readonly Pair[] = [
  { name: "the default overlay with driver and provider", set: [], folders: ["overlays/default", ...NODE_SIDE] },
  { name: "the blind overlay", set: ["secretAccess=blind"], folders: ["overlays/blind", ...NODE_SIDE] },
  { name: "the strict overlay", set: ["classAuthors=deny"], folders: ["overlays/strict", ...NODE_SIDE] },
  { name: "the overlay with policies instead of the webhook", set: ["injection.mode=policy"], folders: ["overlays/policy", ...NODE_SIDE] },
  { name: "the overlay for an existing driver", set: ["secrets-store-csi-driver.install=false"], folders: ["overlays/existing-driver"] },
  { name: "the overlay for OpenShift", set: ["openshift=true"], folders: ["overlays/openshift"], kubernetes: "1.34.0" },
  {
    name: "Windows nodes and network policies",
    set: ["windows.enabled=true", "secrets-store-csi-driver.windows.enabled=true", "networkPolicies.enabled=true"],
    folders: [
      "overlays/default",
      ...NODE_SIDE,
      "components/csi-driver-windows",
      "components/azure-provider-windows",
      "components/network-policies",
    ],
  },
  {
    name: "the overlay with images of one's own",
    set: [
      `image=registry.example.com/keyvault-injector:${VERSION}`,
      "secrets-store-csi-driver.linux.image.repository=registry.example.com/csi-secrets-store/driver",
      "secrets-store-csi-driver.linux.registrarImage.repository=registry.example.com/sig-storage/csi-node-driver-registrar",
      "secrets-store-csi-driver.linux.livenessProbeImage.repository=registry.example.com/sig-storage/livenessprobe",
      "linux.image.repository=registry.example.com/azure/secrets-store/provider-azure",
      "imagePullSecrets[0].name=registry-credentials",
      "secrets-store-csi-driver.imagePullSecrets[0].name=registry-credentials",
    ],
    folders: ["overlays/private-images"],
    kubernetes: "1.34.0",
  },
  {
    name: "the driver before Kubernetes 1.35",
    set: [],
    folders: ["overlays/default", "components/csi-driver-before-1.35", "components/azure-provider"],
    kubernetes: "1.34.0",
  },
];

interface OwnPair extends Pick<Pair, "name" | "set"> {
  readonly own: OwnKustomization;
}

/** Limits the worker as the component's kustomization.yaml describes. */
function limitedTo(namespaces: readonly string[], resources: readonly string[]): OwnKustomization {
  const [binding] = readManifests("components/namespaces/binding.yaml");
  assert.ok(binding);
  // The chart places it before the overlay's own arguments.
  const flag = { op: "add", path: "/spec/template/spec/containers/0/args/4", value: `--namespaces=${namespaces.join(",")}` };
  return {
    resources,
    components: ["components/namespaces"],
    transformers: ["installed-pods"],
    objects: namespaces.map((namespace) => ({ ...binding, metadata: { ...binding.metadata, namespace } })),
    patches: [{ target: { kind: "Deployment", name: "keyvault-injector-sync" }, patch: JSON.stringify([flag]) }],
  };
}

const CERTIFIED: OwnKustomization = { resources: ["overlays/default", ...NODE_SIDE], components: ["components/cert-manager"] };

const clientAuthorities = (source: object): OwnKustomization => ({
  resources: ["overlays/default", ...NODE_SIDE],
  components: ["components/client-ca"],
  transformers: ["installed-pods"],
  patches: [
    {
      target: { kind: "Deployment", name: "keyvault-injector-webhook" },
      patch: JSON.stringify([{ op: "replace", path: "/spec/template/spec/volumes/0/projected/sources/0", value: source }]),
    },
  ],
});

const OWN_AUTHORITY = [
  ["Issuer", "keyvault-injector-selfsigned"],
  ["Certificate", "keyvault-injector-cert-manager-ca"],
  ["Issuer", "keyvault-injector-ca"],
] as const;

/** Uses an existing issuer as the how-to describes. */
function issuedBy(issuerRef: Readonly<Record<string, string>>): OwnKustomization {
  const without = ([kind, name]: readonly [string, string]) => {
    const metadata = { name, namespace: "keyvault-injector" };
    return { target: { kind, name }, patch: JSON.stringify({ apiVersion: "cert-manager.io/v1", kind, metadata, $patch: "delete" }) };
  };
  const patch = JSON.stringify([{ op: "replace", path: "/spec/issuerRef", value: issuerRef }]);
  return {
    ...CERTIFIED,
    patches: [...OWN_AUTHORITY.map(without), { target: { kind: "Certificate", name: "keyvault-injector-webhook" }, patch }],
  };
}

/** Values of the chart, and user kustomizations that render the same objects. */
const OWN_PAIRS: readonly OwnPair[] = [
  {
    name: "the default overlay with healing of the node side",
    set: ["healNodeSide=true"],
    own: {
      resources: ["overlays/default", ...NODE_SIDE],
      components: ["product", "csi-driver", "azure-provider"].map((part) => `components/node-side-healing/${part}`),
    },
  },
  {
    name: "a worker of two namespaces",
    set: ["namespaces={team-a,team-b}"],
    own: limitedTo(["team-a", "team-b"], ["overlays/default", ...NODE_SIDE]),
  },
  {
    name: "a blind worker of one",
    set: ["namespaces={team-a}", "secretAccess=blind"],
    own: limitedTo(["team-a"], ["overlays/blind", ...NODE_SIDE]),
  },
  {
    name: "policies that inject beside the webhook",
    set: ["injection.mode=both"],
    own: { resources: ["overlays/default", ...NODE_SIDE], components: ["components/injection-policy"] },
  },
  { name: "certificates by cert-manager", set: ["certManager.enabled=true"], own: CERTIFIED },
  {
    name: "certificates by cert-manager, of an issuer of one's own",
    set: ["certManager.enabled=true", "certManager.issuerRef.name=ours", "certManager.issuerRef.kind=ClusterIssuer"],
    own: issuedBy({ name: "ours", kind: "ClusterIssuer" }),
  },
  {
    name: "certificates by cert-manager, of an issuer that is none of its kinds",
    set: [
      "certManager.enabled=true",
      "certManager.issuerRef.name=ours",
      "certManager.issuerRef.kind=Ours",
      "certManager.issuerRef.group=certificates.example.com",
    ],
    own: issuedBy({ name: "ours", kind: "Ours", group: "certificates.example.com" }),
  },
  {
    name: "certificates of clients, of CAs in a ConfigMap",
    set: ["clientCA.configMap=keyvault-injector-client-ca"],
    own: { resources: ["overlays/default", ...NODE_SIDE], components: ["components/client-ca"] },
  },
  {
    name: "certificates of clients, of CAs in a Secret under another key",
    set: ["clientCA.secret=ours", "clientCA.key=bundle.pem"],
    own: clientAuthorities({ secret: { name: "ours", items: [{ key: "bundle.pem", path: "ca.crt" }] } }),
  },
  {
    name: "certificates by cert-manager, and those of clients",
    set: ["certManager.enabled=true", "clientCA.configMap=keyvault-injector-client-ca"],
    own: { ...CERTIFIED, components: ["components/cert-manager", "components/client-ca"] },
  },
  {
    name: "identity bindings",
    set: ["identityBindings=true"],
    own: { resources: ["overlays/default", ...NODE_SIDE], components: ["components/identity-bindings"] },
  },
  {
    name: "certificates by cert-manager, in another namespace",
    set: ["certManager.enabled=true", "secrets-store-csi-driver.install=false", "linux.enabled=false"],
    own: {
      namespace: "elsewhere",
      resources: ["overlays/default"],
      components: ["components/cert-manager"],
      transformers: ["namespace-references", "components/cert-manager/namespace-references"],
    },
  },
  {
    name: "certificates by cert-manager, denied classes and a worker of two namespaces",
    set: ["certManager.enabled=true", "classAuthors=deny", "namespaces={team-a,team-b}"],
    own: {
      ...limitedTo(["team-a", "team-b"], ["overlays/strict", ...NODE_SIDE]),
      components: ["components/namespaces", "components/cert-manager"],
    },
  },
];

/** Labels with which the chart describes the release. Manually applied manifests lack them. */
const OF_A_RELEASE = ["instance", "managed-by", "version", "part-of", "name"].map((key) => `app.kubernetes.io/${key}`);

/** Removes these labels, which have their own test. */
function withoutReleaseLabels(object: Manifest): Manifest {
  const without = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    const labels = Object.entries(at(value, "metadata", "labels") ?? {}).filter(
      ([key]) => !OF_A_RELEASE.includes(key) && key !== "helm.sh/chart",
    );
    const { labels: _labels, ...metadata } = at(value, "metadata") as Record<string, unknown>; // Metadata of an object or a pod.
    return { ...value, metadata: { ...metadata, ...(labels.length === 0 ? {} : { labels: Object.fromEntries(labels) }) } };
  };
  const spec =
    at(object, "spec", "template") === undefined
      ? {}
      : { spec: { ...Object(object["spec"]), template: without(at(object, "spec", "template")) } };
  const template = object["template"] === undefined ? {} : { template: without(object["template"]) };
  return { ...(without(object) as Manifest), ...spec, ...template };
}

/**
 * Indexes the objects by kind, namespace and name. Leaves out the Namespace, the only object that the chart lacks: the namespace of a
 * release exists before the release.
 */
function byName(objects: readonly Manifest[]): Readonly<Record<string, Manifest>> {
  const named = objects
    .filter(({ kind }) => kind !== "Namespace")
    .map(withoutReleaseLabels)
    .map((object): [string, Manifest] => [`${object.kind} ${object.metadata.namespace ?? "-"} ${object.metadata.name}`, object]);
  assert.equal(new Set(named.map(([name]) => name)).size, named.length, "no object is rendered twice");
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)));
}

for (const version of HELM_VERSIONS) {
  describe(`the chart, rendered by ${version}`, { skip }, () => {
    const render = (rendering: Rendering = {}): Promise<string> => renderChart(version, rendering);
    before(async () => {
      await runHelm(version, ["version"]);
    });

    for (const { name, set, folders, kubernetes } of PAIRS) {
      test(`is field by field what kustomize makes: ${name}`, async () => {
        // Only Helm has the hook: users of manifests prepare an uninstall by hand.
        const rendering = { args: ["--no-hooks"], set, ...(kubernetes === undefined ? {} : { kubernetes }) };
        assert.deepEqual(byName(await chartObjects(version, rendering)), byName(await folderManifests(...folders)));
      });
    }

    for (const { name, set, own } of OWN_PAIRS) {
      test(`is field by field what kustomize makes: ${name}`, async () => {
        const rendering = {
          args: ["--no-hooks"],
          set,
          ...(own.namespace === undefined ? {} : { namespace: own.namespace }),
        };
        const objects = parseManifests(await renderOwnKustomization(own));
        assert.deepEqual(byName(await chartObjects(version, rendering)), byName(objects));
      });
    }

    test("says on every object which release, chart and version it came with, and adds labels of the user's own", async () => {
      const set = [
        "commonLabels.team=platform",
        "sync.serviceAccount.labels.team=sync",
        "windows.enabled=true",
        "networkPolicies.enabled=true",
      ];
      const objects = await chartObjects(version, { args: ["--no-hooks"], set });
      assert.ok(objects.length > 50);
      const product = objects.filter(({ metadata }) => metadata.labels?.["app.kubernetes.io/name"] === "keyvault-injector");
      assert.ok(product.length > 40);
      for (const { kind, metadata } of objects) {
        const { labels = {}, name } = metadata;
        assert.equal(labels["app.kubernetes.io/instance"], "akvsecretsprovider", `${kind} ${name}`);
        assert.equal(labels["app.kubernetes.io/managed-by"], "Helm", `${kind} ${name}`);
        assert.equal(labels["app.kubernetes.io/part-of"], "keyvault-injector", `${kind} ${name}`);
        assert.equal(labels["helm.sh/chart"], `keyvault-injector-${VERSION}`, `${kind} ${name}`);
        assert.equal(
          labels["team"],
          kind === "ServiceAccount" && name === "keyvault-injector-sync" ? "sync" : "platform",
          `${kind} ${name}`,
        );
      }
      for (const { kind, metadata } of product)
        assert.equal(metadata.labels?.["app.kubernetes.io/version"], VERSION, `${kind} ${metadata.name}`);
    });

    test("leaves the selectors of its workloads, budgets and Services as the manifests have them", async () => {
      const selectors = (objects: readonly Manifest[]): Readonly<Record<string, unknown>> =>
        Object.fromEntries(
          objects.flatMap((object) => {
            const selector = at(object, "spec", "selector") ?? at(object, "spec", "podSelector");
            return selector === undefined ? [] : [[`${object.kind} ${object.metadata.name}`, selector]];
          }),
        );
      const rendered = selectors(await chartObjects(version, { args: ["--no-hooks"], set: ["commonLabels.team=platform"] }));
      assert.deepEqual(rendered, selectors(await folderManifests("overlays/default", ...NODE_SIDE)));
      assert.ok(Object.keys(rendered).length >= 7);
    });

    test("is the same to the byte when it is rendered again", async () => {
      assert.equal(await render(), await render());
    });

    test("passes Helm's own lint, which finds what is planted", async () => {
      const { code, stdout } = await runHelm(version, ["lint", "--strict", CHART]);
      assert.equal(code, 0, stdout);
      assert.match(stdout, /1 chart\(s\) linted, 0 chart\(s\) failed/);

      const planted = await runHelm(version, ["lint", "--strict", CHART, "--set", "webhook.replicas=many"]);
      assert.notEqual(planted.code, 0);
    });

    test("holds the chart's three definitions only where they are asked for", async () => {
      const definitions = async (args: readonly string[]): Promise<number> =>
        (await chartObjects(version, { args })).filter(({ kind }) => kind === "CustomResourceDefinition").length;

      assert.equal(await definitions([]), 0);
      assert.equal(await definitions(["--include-crds"]), 3);
    });

    test("has sync and rotation on by default, as the manifests have, and off with the extension's preset", async () => {
      const settings = async (...set: readonly string[]): Promise<readonly unknown[]> => {
        const running = (await chartObjects(version, { set })).filter(({ kind }) => kind !== "PodTemplate");
        const driver = running.find(({ kind }) => kind === "CSIDriver");
        const flags = JSON.stringify(running).match(/--(?:sync-secret|enable-secret-rotation)=\w+/g) ?? [];
        return [...new Set(flags)].sort().concat(String(at(driver, "spec", "requiresRepublish")));
      };
      assert.deepEqual(await settings(), ["--enable-secret-rotation=true", "--sync-secret=true", "true"]);
      assert.deepEqual(await settings("preset=extension"), ["--enable-secret-rotation=false", "--sync-secret=false", "false"]);
      const given = ["preset=extension", "secrets-store-csi-driver.syncSecret.enabled=true"];
      assert.deepEqual(await settings(...given), ["--enable-secret-rotation=false", "--sync-secret=true", "false"]);
      // The driver's own sync is not a way to set either of them.
      assert.doesNotMatch(await render(), /secretprovidersyncing/);
    });
  });
}

describe("the chart in another namespace", { skip }, () => {
  test("names the default one nowhere, and names the other one in policies, selectors and subjects", async () => {
    const [here, elsewhere] = await Promise.all([renderChart("helm-4"), renderChart("helm-4", { namespace: "elsewhere" })]);
    const mentions = (text: string, namespace: string): number =>
      text.match(new RegExp(`namespace: "?${namespace}"?$|serviceaccount:${namespace}:|== '+${namespace}'`, "gm"))?.length ?? 0;

    assert.equal(mentions(elsewhere, "keyvault-injector"), 0);
    assert.equal(mentions(elsewhere, "elsewhere"), mentions(here, "keyvault-injector"));
    assert.ok(mentions(here, "keyvault-injector") > 20);
    const selectors = [
      ...elsewhere.matchAll(/key: kubernetes\.io\/metadata\.name\n +operator: NotIn\n +values:\n +- kube-system\n +- (\S+)$/gm),
    ];
    assert.deepEqual(
      selectors.map(([, namespace]) => namespace),
      Array.from({ length: 4 }, () => '"elsewhere"'),
    );
  });

  test("binds a worker of some namespaces there and in its own one, under its account in its own one", async () => {
    const objects = await chartObjects("helm-4", { namespace: "elsewhere", set: ["namespaces={team-a,elsewhere,team-a}"] });
    const bindings = objects.filter(({ kind, metadata }) => kind === "RoleBinding" && metadata.name === "keyvault-injector-sync-served");

    assert.deepEqual(
      bindings.map(({ metadata, subjects }) => [metadata.namespace, at(subjects, 0, "namespace")]),
      [
        ["elsewhere", "elsewhere"],
        ["team-a", "elsewhere"],
      ],
    );
  });

  test("moves driver and provider with their own value only", async () => {
    const version: HelmVersion = "helm-4";
    const places = async (set: readonly string[]): Promise<readonly string[]> =>
      (await chartObjects(version, { namespace: "elsewhere", set }))
        .filter(({ kind }) => kind === "DaemonSet")
        .map(({ metadata }) => String(metadata.namespace));

    assert.deepEqual(await places([]), ["kube-system", "kube-system"]);
    assert.deepEqual(await places(["nodeNamespace=node-side"]), ["node-side", "node-side"]);
  });
});

describe("variables that redirect traffic or trust", { skip }, () => {
  const VARIABLES = /NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|HTTPS?_PROXY|NO_PROXY|AZURE_[A-Z_]+|IDENTITY_ENDPOINT/;
  const PROXY = [
    "Azure.proxySettings.isProxyEnabled=true",
    "Azure.proxySettings.httpsProxy=http://user:password@proxy.example.com:3128",
    "Azure.proxySettings.noProxy=10.0.0.0/8",
  ];
  const CERTIFICATE = "Azure.proxySettings.proxyCert=PEM";

  test("are in no rendering but one whose values name a proxy", async () => {
    const everything = ["windows.enabled=true", "secrets-store-csi-driver.windows.enabled=true", "openshift=true"];
    assert.doesNotMatch(await renderChart("helm-4", { set: everything }), VARIABLES);
    assert.doesNotMatch(await renderChart("helm-4", { set: PROXY.slice(1) }), VARIABLES);

    assert.match(await renderChart("helm-4", { set: PROXY }), VARIABLES);
  });

  test("are in none of the manifests, and not in the image", async () => {
    const folders = globSync("{overlays,components}/*/kustomization.yaml", { cwd: MANIFESTS }).map((file) => path.dirname(file));
    const applied = folders.filter((folder) =>
      /^kind: Kustomization$/m.test(readFileSync(path.join(MANIFESTS, folder, "kustomization.yaml"), "utf8")),
    );
    assert.ok(applied.length >= 10);
    for (const folder of applied) {
      assert.doesNotMatch(await renderFolder(folder), VARIABLES, folder);
    }
    assert.doesNotMatch(readFileSync(path.join(MANIFESTS, "../Dockerfile"), "utf8"), VARIABLES);
  });

  test("reach the worker and the provider, by Secrets in their namespaces, and never the webhook", async () => {
    const objects = byName(await chartObjects("helm-4", { set: [...PROXY, CERTIFICATE] }));
    const text = (name: string): string => JSON.stringify(objects[name]);

    const worker = text("Deployment keyvault-injector keyvault-injector-sync");
    assert.match(worker, /"secretRef":\{"name":"keyvault-injector-proxy"\}/);
    assert.match(worker, /"name":"NODE_EXTRA_CA_CERTS","value":"\/etc\/keyvault-injector\/proxy\/proxy-cert\.crt"/);
    const provider = text("DaemonSet kube-system csi-secrets-store-provider-azure");
    assert.match(provider, /"secretRef":\{"name":"arc-proxy-config"\}/);
    assert.match(provider, /\/etc\/ssl\/certs\/proxy-cert\.crt/);
    assert.doesNotMatch(text("Deployment keyvault-injector keyvault-injector-webhook"), /proxy/);
    for (const [name, keys] of [
      ["Secret keyvault-injector keyvault-injector-proxy", ["HTTPS_PROXY", "NO_PROXY"]],
      ["Secret kube-system arc-proxy-config", ["HTTPS_PROXY", "NO_PROXY"]],
      ["Secret keyvault-injector keyvault-injector-proxy-certificate", ["proxy-cert.crt"]],
      ["Secret kube-system arc-proxy-cert", ["proxy-cert.crt"]],
    ] as const) {
      assert.deepEqual(Object.keys(Object(objects[name]?.["data"])), keys, name);
    }
  });

  test("make new pods when they change", async () => {
    const checksum = async (set: readonly string[]): Promise<string | undefined> =>
      /checksum\/proxy: (\w+)/.exec(await renderChart("helm-4", { set }))?.[1];

    const first = await checksum(PROXY);
    assert.ok(first);
    assert.notEqual(await checksum([...PROXY, "Azure.proxySettings.noProxy=10.1.0.0/16"]), first);
  });
});
