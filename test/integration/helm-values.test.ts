import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { parse, stringify } from "yaml";
import { componentsOf } from "../../src/domain/healing/components.ts";
import { DRIVER_ROWS } from "../../tools/helm-chart/values-driver.ts";
import { PROVIDER_ROWS } from "../../tools/helm-chart/values-provider.ts";
import { VERSION } from "../../tools/repository-files.ts";
import {
  CHART,
  chartObjects,
  chartRefusal,
  HELM_VERSIONS,
  type HelmVersion,
  helmRefusal,
  renderChart,
  runHelm,
  templateArguments,
  withoutPodTemplates,
} from "../support/cluster/helm.ts";
import { at, folderManifests, listAt, type Manifest, parseManifests, readManifests } from "../support/cluster/shipped-manifests.ts";
import { moduleFolder, moduleRefusal } from "./go-module.ts";
import { type Right, rightsOf } from "./openings/rights.ts";

const refusal = helmRefusal() ?? moduleRefusal();
const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;

const NAME = "secrets-store-csi-driver";

/** Returns the line of the error message that is about the value. */
function lineAbout(message: string, value: string): string {
  return message.split("\n").find((line) => line.startsWith(`- ${value}: `)) ?? `nothing about ${value} in: ${message}`;
}

describe("the chart as another chart's dependency", { skip }, () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "umbrella-"));
    mkdirSync(path.join(folder, "charts"));
    cpSync(CHART, path.join(folder, "charts", "keyvault-injector"), { recursive: true });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function rendered(version: HelmVersion, alias: string, values: Readonly<Record<string, unknown>>) {
    const dependency = { name: "keyvault-injector", version: VERSION, condition: `${alias}.enabled` };
    const aliased = alias === dependency.name ? dependency : { ...dependency, alias };
    const chart = { apiVersion: "v2", name: "platform", version: "1.0.0", dependencies: [aliased] };
    writeFileSync(path.join(folder, "Chart.yaml"), stringify(chart));
    writeFileSync(path.join(folder, "values.yaml"), stringify({ global: { region: "west" }, [alias]: values }));
    return runHelm(version, ["template", "platform", folder, "--namespace", "keyvault-injector", "--kube-version", "1.36.0"]);
  }

  for (const version of HELM_VERSIONS) {
    for (const alias of ["keyvault-injector", "kvi"]) {
      test(`SW1: takes the condition that it is switched by, as ${alias}, by ${version}`, async () => {
        const [on, off] = [await rendered(version, alias, { enabled: true }), await rendered(version, alias, { enabled: false })];

        assert.deepEqual([on.code, on.stderr, off.code], [0, "", 0]);
        assert.match(on.stdout, /^kind: Deployment$/m);
        assert.doesNotMatch(off.stdout, /^kind:/m);
      });
    }
  }

  test("SW1: still refuses what it does not know", async () => {
    const { code, stderr } = await rendered("helm-4", "kvi", { enabled: true, enabeld: true });

    assert.equal(code, 1);
    assert.match(lineAbout(stderr, "enabeld"), /unknown value/);
    assert.doesNotMatch(stderr, /global/, "the values that all charts of the umbrella share");
  });
});

describe("values files of upstream's charts", { skip }, () => {
  let folder: string;
  let provider: string;
  let driver: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "values-"));
    const charts = path.join(moduleFolder("github.com/Azure/secrets-store-csi-driver-provider-azure"), "charts");
    provider = path.join(charts, "csi-secrets-store-provider-azure");
    driver = path.join(moduleFolder("sigs.k8s.io/secrets-store-csi-driver"), "charts", NAME, "values.yaml");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function write(name: string, values: unknown): string {
    const file = path.join(folder, name);
    writeFileSync(file, stringify(values));
    return file;
  }

  for (const version of HELM_VERSIONS) {
    test(`are taken as they are by ${version}: the provider's, which the extension's are`, async () => {
      const objects = await chartObjects(version, { args: ["--values", path.join(provider, "values.yaml")] });
      const daemonSet = objects.find(({ metadata, kind }) => kind === "DaemonSet" && metadata.name === "csi-secrets-store");
      const images = JSON.stringify(daemonSet).match(/mcr\.microsoft\.com[^"]+/g) ?? [];

      assert.deepEqual(images.toSorted(), [
        "mcr.microsoft.com/oss/v2/kubernetes-csi/csi-node-driver-registrar:v2.14.0",
        "mcr.microsoft.com/oss/v2/kubernetes-csi/livenessprobe:v2.15.0",
        "mcr.microsoft.com/oss/v2/kubernetes-csi/secrets-store/driver:v1.5.6",
      ]);
    });

    test(`are taken as they are by ${version}: the driver's, under its name`, async () => {
      const file = write("driver.yaml", { [NAME]: parse(readFileSync(driver, "utf8")) });
      const objects = await chartObjects(version, { args: ["--values", file] });
      const daemonSet = objects.find(({ metadata, kind }) => kind === "DaemonSet" && metadata.name === "csi-secrets-store");
      const registrar = JSON.stringify(at(daemonSet, "spec", "template", "spec", "containers", 1));

      assert.match(registrar, /"--v=5"/);
      assert.equal(at(daemonSet, "spec", "template", "spec", "priorityClassName"), undefined);
    });
  }

  test("name nothing that the chart does not know", () => {
    const known = new Set([...PROVIDER_ROWS, ...DRIVER_ROWS].map((row) => row.path));
    const leaves = (value: unknown, at: string): readonly string[] =>
      known.has(at) || typeof value !== "object" || value === null
        ? [at]
        : Object.entries(value).flatMap(([key, inner]) => leaves(inner, at === "" ? key : `${at}.${key}`));
    const named = [
      ...leaves(parse(readFileSync(path.join(provider, "values.yaml"), "utf8")), ""),
      ...leaves(parse(readFileSync(path.join(provider, "arc-values.yaml"), "utf8")), ""),
      ...leaves({ [NAME]: parse(readFileSync(driver, "utf8")) }, ""),
    ];

    assert.ok(named.length > 200);
    assert.deepEqual(
      named.filter((name) => !known.has(name)),
      [],
    );
  });

  test("are told where they belong when the driver's stands at the top", async () => {
    const message = await chartRefusal("helm-4", { args: ["--values", driver] });

    assert.match(lineAbout(message, "syncSecret"), /Did you mean secrets-store-csi-driver\.syncSecret\?/);
    assert.match(lineAbout(message, "linux.driver"), /Did you mean secrets-store-csi-driver\.linux\.driver\?/);
  });

  test("are refused with what the extension has beyond the open chart, and know every name of it", async () => {
    const message = await chartRefusal("helm-4", { args: ["--values", path.join(provider, "arc-values.yaml")] });

    assert.match(lineAbout(message, "enableArcExtension"), /true is not supported: .*Azure\.proxySettings/);
    assert.match(lineAbout(message, "telegraf"), /telemetry/);
    assert.doesNotMatch(message, /unknown value/);
  });

  test("render what the driver's own template renders for the document's settings", async () => {
    const set = [`${NAME}.enableSecretRotation=true`, `${NAME}.rotationPollInterval=3m`, `${NAME}.syncSecret.enabled=true`];
    const text = withoutPodTemplates(await renderChart("helm-4", { set }));

    assert.equal(text.match(/--enable-secret-rotation=true/g)?.length, 2, "driver and worker");
    assert.equal(text.match(/--rotation-poll-interval=3m/g)?.length, 2);
    assert.match(text, /--sync-secret=true/);
    assert.match(text, /requiresRepublish: true/);
  });
});

describe("the chart's checks", { skip }, () => {
  const refused = (...set: readonly string[]): Promise<string> => chartRefusal("helm-4", { set });

  test("name every problem at once, each with the nearest name or the reason", async () => {
    const message = await refused("syncSecrets.enabled=true", "linux.kubeletRootDr=/x", "imge=x", "nameOverride=other", "zzz=1");

    assert.match(lineAbout(message, "syncSecrets"), /unknown value\. Did you mean secrets-store-csi-driver\.syncSecret\?/);
    assert.match(lineAbout(message, "linux.kubeletRootDr"), /Did you mean linux\.kubeletRootDir\?/);
    assert.match(lineAbout(message, "imge"), /Did you mean image\?/);
    assert.match(lineAbout(message, "zzz"), /unknown value\. To list all values, run `helm show values`/);
    assert.match(lineAbout(message, "nameOverride"), /"other" is not supported: .*policies, healing, and certificates/);
  });

  test("leave labels, annotations and whatever else is Kubernetes' own to the user", async () => {
    await renderChart("helm-4", { set: ["sync.podLabels.anything=goes", "linux.podAnnotations.whatever=else"] });
  });

  for (const version of HELM_VERSIONS) {
    test(`refuse global values, which this chart never reads, where it is no dependency, by ${version}`, async () => {
      const { code, stderr } = await runHelm(version, templateArguments({ set: ["global.imageRegistry=registry.example.com"] }));

      assert.equal(code, 1);
      assert.match(lineAbout(stderr, "global.imageRegistry"), /unknown value\. The chart reads no global values/);
      const ofRancher = ["global.cattle.clusterId=c-1", "global.systemDefaultRegistry=registry.example.com"];
      assert.equal((await runHelm(version, templateArguments({ set: ofRancher }))).code, 0);
    });
  }

  test("suggest only what is much like the name that was given, and nothing that the chart refuses", async () => {
    const message = await refused("podSecurityPolicy=x", "amacoreagnt=x", "telegraph=x", "webhok.replicas=3");

    for (const name of ["podSecurityPolicy", "amacoreagnt", "telegraph"]) {
      assert.match(lineAbout(message, name), /unknown value\. To list all values, run `helm show values`$/);
    }
    assert.match(lineAbout(message, "webhok"), /Did you mean webhook\?/);
  });

  test("say what this chart has for values that many other charts have", async () => {
    const message = await refused(
      "replicaCount=3",
      "installCRDs=true",
      "crds.enabled=true",
      "metrics.enabled=true",
      "serviceMonitor.enabled=true",
    );

    assert.equal(lineAbout(message, "replicaCount"), "- replicaCount: unknown value. Set webhook.replicas and sync.replicas");
    for (const name of ["installCRDs", "crds"]) {
      assert.equal(lineAbout(message, name), `- ${name}: unknown value. The chart always contains the CRDs. Omit this value`);
    }
    for (const name of ["metrics", "serviceMonitor"]) {
      assert.match(lineAbout(message, name), /unknown value\. Set monitoring\.podMonitor\.enabled .* or monitoring\.service\.enabled/);
    }
  });

  for (const version of HELM_VERSIONS) {
    test(`refuse no pods, and what is no restart window, by the schema, by ${version}`, async () => {
      const given = ["webhook.replicas=0", "sync.replicas=0", "restartWindow=night"];
      const { code, stderr } = await runHelm(version, templateArguments({ set: given }));

      assert.equal(code, 1);
      for (const name of [/webhook.?.replicas/, /sync.?.replicas/, /restartWindow/]) assert.match(stderr, name);
      const taken = ["restartWindow=0 22 * * MON-FRI for 4h in Europe/Berlin; 0 2 * * SAT\\,SUN for 6h", "webhook.replicas=1"];
      assert.equal((await runHelm(version, templateArguments({ set: taken }))).code, 0);
    });

    test(`refuse fewer pods than shards, whoever installed the driver, by ${version}`, async () => {
      const given = ["shards=2", "sync.replicas=1", "secrets-store-csi-driver.install=false"];
      const { stderr } = await runHelm(version, templateArguments({ set: given }));

      assert.match(stderr, /sync\.replicas is 1, but shards is 2/);
    });
  }

  test("refuse kubelet folders that are not the same, and take the same ones, however written", async () => {
    const linux = await refused("linux.kubeletRootDir=/var/kubelet");
    assert.match(
      linux,
      /linux\.kubeletRootDir is \/var\/kubelet, but secrets-store-csi-driver\.linux\.kubeletRootDir is \/var\/lib\/kubelet/,
    );
    const windows = await refused("windows.kubeletRootDir=D:\\\\kubelet");
    assert.match(windows, /windows\.kubeletRootDir is D:\\kubelet, but/);

    const set = ["linux.kubeletRootDir=/path/to/kubelet", `${NAME}.linux.kubeletRootDir=/path/to/kubelet/`];
    const text = withoutPodTemplates(await renderChart("helm-4", { set }));
    assert.equal(text.match(/"?\/path\/to\/kubelet\/[^/\s"]+/g)?.length, 5);
    assert.doesNotMatch(text, /\/var\/lib\/kubelet/);
  });

  test("refuse folders of sockets that the driver does not look into", async () => {
    assert.match(
      await refused("linux.providersDir=/var/sockets"),
      /linux\.providersDir is \/var\/sockets, a folder that the driver does not check/,
    );
    await renderChart("helm-4", { set: ["linux.providersDir=/var/sockets", `${NAME}.linux.additionalProvidersDirs[0]=/var/sockets`] });
    await renderChart("helm-4", { set: ["linux.providersDir=/var/sockets", `${NAME}.install=false`] });
  });

  test("refuse rotation with a driver that would read Secrets for it", async () => {
    const tag = `${NAME}.linux.image.tag=v1.5.6`;
    assert.match(await refused(tag), /v1\.5\.6 needs permission to read Secrets in the whole cluster/);
    await renderChart("helm-4", { set: [tag, `${NAME}.enableSecretRotation=false`] });
  });

  test("refuse what is no name of a namespace, and take no list and an empty one for all of them", async () => {
    const message = await refused("namespaces={team-a,Team/B,team-c\\,team-d}");
    const reported = message.split("\n").filter((line) => line.startsWith("- "));
    assert.deepEqual(
      reported,
      ["Team/B", "team-c,team-d"].map(
        (name) =>
          `- namespaces: "${name}" is not a valid namespace name. Use one name per item: at most 63 lowercase letters, digits, and hyphens`,
      ),
    );
    const long = "n".repeat(64);
    assert.match(await refused(`namespaces={${long}}`), new RegExp(`- namespaces: "${long}" is not a valid`));

    await renderChart("helm-4", { set: [`namespaces={${long.slice(1)}}`] });
    const [all, none] = await Promise.all([renderChart("helm-4"), renderChart("helm-4", { set: ["namespaces=null"] })]);
    assert.equal(none, all);
  });

  test("refuse an issuer that nothing can be issued by", async () => {
    const about = async (value: string, ...set: readonly string[]): Promise<string> =>
      lineAbout(await refused(...set), `certManager.${value}`);
    const on = "certManager.enabled=true";

    assert.match(
      await about("issuerRef", "certManager.issuerRef.name=ours"),
      /no effect .* Set certManager\.enabled to true, or omit the issuer/,
    );
    assert.match(await about("issuerRef.name", on, "certManager.issuerRef.kind=ClusterIssuer"), /Set the name, or omit all three/);
    const kind = ["certManager.issuerRef.name=ours", "certManager.issuerRef.kind=Vault"];
    assert.match(await about("issuerRef.kind", on, ...kind), /cert-manager has no kind "Vault"\. Use Issuer or ClusterIssuer/);

    await renderChart("helm-4", { set: [on, ...kind, "certManager.issuerRef.group=certificates.example.com"] });
    const [without, shipped] = await Promise.all([renderChart("helm-4", { set: ["certManager=null"] }), renderChart("helm-4")]);
    assert.equal(without, shipped);
  });

  test("refuse two sources of the CAs of clients, and do without the values of a release of an older chart", async () => {
    const both = await refused("clientCA.configMap=one", "clientCA.secret=other");

    assert.match(lineAbout(both, "clientCA"), /both a ConfigMap and a Secret are set\. Keep only the one that contains the CAs/);
    const [without, shipped] = await Promise.all([renderChart("helm-4", { set: ["clientCA=null"] }), renderChart("helm-4")]);
    assert.equal(without, shipped);
  });

  test("refuse unknown names among ours by the schema, which names them with their place", async () => {
    const message = await refused("webhook.replcas=3", "certManager.issuerref.name=ours", "monitoring.podmonitor.enabled=true");
    for (const [place, name] of [
      ["/webhook", "replcas"],
      ["/certManager", "issuerref"],
      ["/monitoring", "podmonitor"],
    ]) {
      assert.match(message, new RegExp(`${place}'?: additional properties '${name}' not allowed`));
    }
    const older = await runHelm("helm-3", templateArguments({ set: ["webhook.replcas=3"] }));
    assert.match(older.stderr, /webhook.*[Aa]dditional propert.*replcas.* not allowed/);
  });

  test("SW9: refuse bare names of Secrets to pull images with, which no API server takes", async () => {
    const message = await refused("imagePullSecrets={regcred}", "secrets-store-csi-driver.imagePullSecrets={regcred}");

    assert.match(message, /'?\/imagePullSecrets\/0'?: got string, want object/);
    assert.match(message, /'?\/secrets-store-csi-driver\/imagePullSecrets\/0'?: got string, want object/);
    assert.equal((await runHelm("helm-3", templateArguments({ set: ["imagePullSecrets[0].name=regcred"] }))).code, 0);
  });

  test("refuse values of a wrong type, by the schema", async () => {
    const message = await refused("syncMode=often", "webhook.replicas=many", "namespaces=team-a");
    assert.match(message, /syncMode.*'always', 'while-used', 'never'/);
    assert.match(message, /webhook\/replicas.*want integer/);
    assert.match(message, /namespaces.*want null or array/);
  });
});

describe("the notes", { skip }, () => {
  // Helm 4: Helm 3 shows notes only for an install, and that needs a cluster.
  const notesWith = async (...set: readonly string[]): Promise<string> => {
    const given = set.flatMap((value) => ["--set", value]);
    const args = ["install", "akvsecretsprovider", CHART, "--namespace", "keyvault-injector", "--dry-run=client", ...given];
    const { code, stdout, stderr } = await runHelm("helm-4", args);
    assert.equal(code, 0, stderr);
    const [, notes] = stdout.split("\nNOTES:\n");
    return notes ?? "";
  };
  const warning = /WARNING: the image (\S+) names no registry/;

  test("warn of an image that only nodes on which it was loaded can run", async () => {
    assert.equal(warning.exec(await notesWith())?.[1], `keyvault-injector:${VERSION}`);
    assert.equal(warning.exec(await notesWith("image.repository=app"))?.[1], `app:${VERSION}`);
  });

  test("do not warn where the image can be pulled, or where the user says that it was loaded", async () => {
    const places = ["image.repository=registry.example.com/app", "image.repository=team/app", "image=registry.example.com/app:1"];
    for (const set of [...places, `image.tag=${VERSION}`, "image.pullPolicy=Never"]) {
      const notes = await notesWith(set);
      assert.match(notes, /is installed in namespace/);
      assert.doesNotMatch(notes, warning, set);
    }
  });
});

describe("the image", { skip }, () => {
  const imagesOf = async (version: HelmVersion, ...set: readonly string[]): Promise<readonly unknown[]> => {
    const { code, stdout, stderr } = await runHelm(version, templateArguments({ set }));
    assert.equal(code, 0, stderr);
    const ours = parseManifests(stdout).filter((object) => object !== null && ["Deployment", "Job"].includes(object.kind));
    assert.equal(ours.length, 3);
    const containers = ours.map((object) => at(object, "spec", "template", "spec", "containers", 0));
    return [...new Set(containers.map((container) => `${String(at(container, "image"))} ${String(at(container, "imagePullPolicy"))}`))];
  };
  const REPOSITORY_VALUE = "image.repository=registry.example.com/app";
  const DIGEST = `sha256:${"a".repeat(64)}`;

  for (const version of HELM_VERSIONS) {
    test(`is of the chart's version, of a tag or of a digest, by ${version}`, async () => {
      assert.deepEqual(await imagesOf(version), [`keyvault-injector:${VERSION} IfNotPresent`]);
      assert.deepEqual(await imagesOf(version, REPOSITORY_VALUE), [`registry.example.com/app:${VERSION} IfNotPresent`]);
      const tagged = [REPOSITORY_VALUE, "image.tag=next", "image.pullPolicy=Always"];
      assert.deepEqual(await imagesOf(version, ...tagged), ["registry.example.com/app:next Always"]);
      assert.deepEqual(await imagesOf(version, ...tagged, `image.digest=${DIGEST}`), [`registry.example.com/app@${DIGEST} Always`]);
    });

    test(`is still taken as one text with its policy beside it, as up to 0.4.0, by ${version}`, async () => {
      const whole = `registry.example.com/app@${DIGEST}`;
      assert.deepEqual(await imagesOf(version, `image=${whole}`), [`${whole} IfNotPresent`]);
      assert.deepEqual(await imagesOf(version, `image=${whole}`, "imagePullPolicy=Always"), [`${whole} Always`]);
    });
  }
});

describe("what users add to our workloads", { skip }, () => {
  const podOf = (objects: readonly Manifest[], component: string): unknown => {
    const found = objects.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === `keyvault-injector-${component}`);
    return at(found, "spec", "template");
  };

  test("stands beside what the manifests have: variables, arguments, labels and annotations", async () => {
    const set = ["webhook", "sync"].flatMap((component) => [
      `${component}.extraEnv[0].name=EXTRA`,
      `${component}.extraEnv[0].value=${component}`,
      `${component}.extraArgs={--log-level=debug}`,
      `${component}.podLabels.team=platform`,
      `${component}.podAnnotations.note=seen`,
      `${component}.serviceAccount.annotations.note=${component}`,
      `${component}.serviceAccount.labels.team=platform`,
    ]);
    const objects = await chartObjects("helm-4", { set });
    for (const component of ["webhook", "sync"]) {
      const pod = podOf(objects, component);
      const container = at(pod, "spec", "containers", 0);
      assert.deepEqual(
        listAt(container, "env").map((variable) => at(variable, "name")),
        ["MALLOC_ARENA_MAX", "POD_NAMESPACE", "POD_NAME", "EXTRA"],
      );
      assert.deepEqual([listAt(container, "args")[0], listAt(container, "args").at(-1)], [component, "--log-level=debug"]);
      assert.equal(at(pod, "metadata", "labels", "team"), "platform");
      assert.equal(at(pod, "metadata", "labels", "app.kubernetes.io/component"), component);
      assert.equal(at(pod, "metadata", "annotations", "note"), "seen");
      const account = objects.find(({ kind, metadata }) => kind === "ServiceAccount" && metadata.name === `keyvault-injector-${component}`);
      assert.equal(at(account, "metadata", "annotations", "note"), component);
      assert.equal(account?.metadata.labels?.["team"], "platform");
    }
  });

  test("changes who the process is, and leaves every limit of the manifests", async () => {
    const set = [
      "sync.podSecurityContext.runAsUser=1000680000",
      "sync.podSecurityContext.supplementalGroups={5}",
      "sync.podSecurityContext.seccompProfile.type=Localhost",
      "sync.podSecurityContext.seccompProfile.localhostProfile=ours.json",
      "sync.securityContext.allowPrivilegeEscalation=false",
      "sync.securityContext.appArmorProfile.type=RuntimeDefault",
    ];
    const pod = podOf(await chartObjects("helm-4", { set }), "sync");
    assert.deepEqual(at(pod, "spec", "securityContext"), {
      runAsNonRoot: true,
      runAsUser: 1_000_680_000,
      runAsGroup: 65_532,
      seccompProfile: { type: "Localhost", localhostProfile: "ours.json" },
      supplementalGroups: [5],
    });
    assert.deepEqual(at(pod, "spec", "containers", 0, "securityContext"), {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
      appArmorProfile: { type: "RuntimeDefault" },
    });
    const onOpenShift = podOf(
      await chartObjects("helm-4", { set: ["openshift=true", "sync.podSecurityContext.runAsUser=1000680000"] }),
      "sync",
    );
    assert.equal(at(onOpenShift, "spec", "securityContext", "runAsUser"), 1_000_680_000);
    assert.equal(at(onOpenShift, "spec", "securityContext", "runAsGroup"), undefined);
  });

  test("is refused where PodSecurity's level restricted would refuse the pod, each by its name", async () => {
    const loose = {
      "webhook.podSecurityContext": ["runAsUser=0", "runAsNonRoot=false", "seccompProfile.type=Unconfined", "hostUsers=true"],
      "sync.securityContext": [
        "privileged=true",
        "allowPrivilegeEscalation=true",
        "readOnlyRootFilesystem=false",
        "capabilities.add={SYS_ADMIN}",
        "runAsUser=0",
      ],
    };
    for (const [where, values] of Object.entries(loose)) {
      for (const value of values) {
        const message = await chartRefusal("helm-4", { set: [`${where}.${value}`] });
        assert.match(message, new RegExp(where.replace(".", "/")), value);
        assert.match(message, new RegExp(value.split(/[.=]/)[0] ?? ""), value);
      }
    }
  });

  test("comes as objects of its own, as maps and as texts whose templates are evaluated", async () => {
    const values = [
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "as-a-map" }, data: { key: "value" } },
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: in-{{ .Release.Namespace }}",
    ];
    const objects = await chartObjects("helm-4", { args: ["--set-json", `extraObjects=${JSON.stringify(values)}`] });
    const extra = objects.filter(({ kind }) => kind === "ConfigMap").map(({ metadata }) => metadata.name);
    assert.deepEqual(extra, ["as-a-map", "in-keyvault-injector"]);
    assert.match(await chartRefusal("helm-4", { args: ["--set-json", 'extraObjects=[{"kind":"Secret"}]'] }), /extraObjects/);
  });

  test("has no label that the chart gives, which would stand twice", async () => {
    for (const key of ["app", "app\\.kubernetes\\.io/name", "helm\\.sh/chart", "rbac\\.authorization\\.k8s\\.io/aggregate-to-view"]) {
      assert.match(await chartRefusal("helm-4", { set: [`commonLabels.${key}=x`] }), /commonLabels/, key);
    }
  });
});

describe("the account of helm test", { skip }, () => {
  const rights = async (): Promise<readonly Right[]> =>
    rightsOf(await chartObjects("helm-4")).filter(({ subject }) => subject === "ServiceAccount keyvault-injector-doctor");

  test("may look at every part of the install that doctor compares with the worker's copies", async () => {
    const given = await rights();
    const missing = componentsOf("keyvault-injector").filter(
      ({ resource, ref }) =>
        !given.some(
          (right) =>
            right.verb === "get" &&
            right.resource === `${resource.plural}.${resource.group}` &&
            ["*", ref.namespace].includes(right.namespace),
        ),
    );
    assert.deepEqual(
      missing.map(({ id }) => id),
      [],
    );
  });

  test("may change nothing, and read no Secret", async () => {
    const given = await rights();
    assert.ok(given.length > 40);
    assert.deepEqual([...new Set(given.map(({ verb }) => verb))].sort(), ["get", "list"]);
    assert.ok(!given.some(({ resource }) => resource.startsWith("secrets.") || resource.includes("*")));
  });
});

describe("monitoring, switched on by values", { skip }, () => {
  const KINDS = ["PodMonitor", "PrometheusRule", "ConfigMap", "Service"];
  const ON = ["podMonitor", "prometheusRule", "dashboard", "service"].map((part) => `monitoring.${part}.enabled=true`);
  const partsOf = async (set: readonly string[], namespace = "keyvault-injector"): Promise<readonly Manifest[]> =>
    (await chartObjects("helm-4", { set, namespace })).filter(
      ({ kind, metadata }) => KINDS.includes(kind) && `${kind} ${metadata.name}` !== "Service keyvault-injector-webhook",
    );

  test("is what the component renders to, in the release's namespace, and off without them", async () => {
    assert.deepEqual(await partsOf([]), []);
    const bare = (objects: readonly Manifest[]) =>
      objects
        .map(({ metadata, ...object }) => ({ ...object, name: metadata.name, annotations: metadata.annotations }))
        .sort((a, b) => (`${a["kind"]} ${a.name}` < `${b["kind"]} ${b.name}` ? -1 : 1));
    const rendered = await partsOf(ON, "elsewhere");
    assert.deepEqual(
      bare(rendered),
      bare([...(await folderManifests("components/monitoring")), ...(await folderManifests("components/metrics-service"))]),
    );
    assert.deepEqual([...new Set(rendered.map(({ metadata }) => metadata.namespace))], ["elsewhere"]);
    const dashboard = rendered.find(({ kind }) => kind === "ConfigMap");
    assert.equal(dashboard?.metadata.labels?.["grafana_dashboard"], "1");
    for (const [index, part] of ON.entries()) {
      assert.deepEqual([...new Set((await partsOf([part])).map(({ kind }) => kind))], [KINDS[index]]);
    }
  });

  test("takes labels, an interval, annotations and another place of the runbooks", async () => {
    const objects = await partsOf([
      ...ON,
      "monitoring.podMonitor.labels.release=prometheus",
      "monitoring.podMonitor.interval=15s",
      "monitoring.prometheusRule.labels.release=rules",
      "monitoring.prometheusRule.runbookUrl=https://wiki.example.com/runbooks/",
      "monitoring.dashboard.annotations.folder=Platform",
      "monitoring.service.labels.scraped=yes",
      "monitoring.service.annotations.prometheus\\.io/scrape=no",
    ]);
    const of = (kind: string): readonly Manifest[] => objects.filter((object) => object.kind === kind);
    const [monitor] = of("PodMonitor");
    assert.equal(monitor?.metadata.labels?.["release"], "prometheus");
    assert.equal(at(monitor, "spec", "podMetricsEndpoints", 0, "interval"), "15s");
    assert.ok(of("PrometheusRule").every(({ metadata }) => metadata.labels?.["release"] === "rules"));
    const urls = JSON.stringify(of("PrometheusRule")).match(/"runbook_url":"[^"]*"/g) ?? [];
    assert.ok(urls.length > 15 && urls.every((url) => /https:\/\/wiki\.example\.com\/runbooks\/[^/]+\.md/.test(url)), urls[0]);
    assert.equal(at(of("ConfigMap")[0], "metadata", "annotations", "folder"), "Platform");
    const dashboard = String(at(of("ConfigMap")[0], "data", "keyvault-injector.json"));
    assert.match(dashboard, /https:\/\/wiki\.example\.com\/runbooks\//);
    assert.doesNotMatch(dashboard, /keyvault-injector\.dev\/docs\/runbooks/);
    for (const { metadata } of of("Service")) {
      assert.equal(metadata.labels?.["scraped"], "yes");
      assert.equal(metadata.annotations?.["prometheus.io/scrape"], "no");
      assert.equal(metadata.annotations?.["prometheus.io/port"], "9090");
    }
  });
});

describe("settings given as values", { skip }, () => {
  test("become the flags of the processes that read them, and the rights that go with them", async () => {
    const set = [
      "logLevel=debug",
      "heal={crds}",
      "credentialsSecretNames={one,two}",
      "allowedVaults={first,second}",
      "strictAnnotations=true",
      "constructPEMChain=false",
      "maxRolloutsPerNamespace=3",
      "cloudName=AzureChinaCloud",
      `${NAME}.rotationPollInterval=5m`,
    ];
    const objects = await chartObjects("helm-4", { set });
    const args = (name: string): unknown =>
      at(
        objects.find(({ metadata, kind }) => kind === "Deployment" && metadata.name === `keyvault-injector-${name}`),
        "spec",
        "template",
        "spec",
        "containers",
        0,
        "args",
      );

    assert.deepEqual(args("sync"), [
      "sync",
      "--sync-secret=true",
      "--enable-secret-rotation=true",
      "--heal-node-side=false",
      "--rotation-poll-interval=5m",
      "--max-rollouts-per-namespace=3",
      "--credentials-secret-names=one,two",
      "--allowed-vaults=first,second",
      "--cloud-name=AzureChinaCloud",
      "--construct-pem-chain=false",
      "--heal=crds",
      "--log-level=debug",
    ]);
    assert.deepEqual(args("webhook"), ["webhook", "--strict-annotations=true", "--log-level=debug"]);
    const role = JSON.stringify(objects.find(({ metadata, kind }) => kind === "ClusterRole" && metadata.name === "keyvault-injector-sync"));
    assert.match(role, /"resourceNames":\["one","two"\]/);
    assert.doesNotMatch(role, /secrets-store-creds/);
    const provider = JSON.stringify(objects.find(({ kind, metadata }) => kind === "DaemonSet" && /provider/.test(metadata.name)));
    assert.match(provider, /--construct-pem-chain=false.*--cloud-name=AzureChinaCloud/);
  });

  test("bring the right to budgets, and to Rollouts, only where restarts are to respect and to reach them", async () => {
    const rightsWith = async (set: readonly string[]): Promise<readonly string[]> => {
      const objects = await chartObjects("helm-4", { set });
      const role = objects.find(({ kind, metadata }) => kind === "ClusterRole" && metadata.name === "keyvault-injector-sync");
      const rules = listAt(role, "rules").map((rule) => `${listAt(rule, "resources").join()}: ${listAt(rule, "verbs").join()}`);
      return rules.filter((rule) => /^(poddisruptionbudgets|rollouts):/.test(rule));
    };

    assert.deepEqual(await rightsWith([]), []);
    assert.deepEqual(await rightsWith(["respectDisruptionBudgets=true"]), ["poddisruptionbudgets: list,watch"]);
    assert.deepEqual(await rightsWith(["restartArgoRollouts=true", "namespaces={team}"]), ["rollouts: list,watch,patch"]);
    assert.deepEqual(await rightsWith(["respectDisruptionBudgets=true", "secretAccess=blind"]), ["poddisruptionbudgets: list,watch"]);
  });

  test("leave out every right of component healing where it is switched off", async () => {
    const healing = async (set: readonly string[]): Promise<readonly string[]> =>
      (await chartObjects("helm-4", { set }))
        .filter(({ metadata }) => metadata.labels?.["app.kubernetes.io/component"] === "component-healing")
        .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    const policy = /name: isOwnComponent/;

    const all = ["healNodeSide=true"];
    assert.ok((await healing(all)).length >= 8);
    assert.ok(
      (await healing([])).every((each) => !/csi|azure/.test(each)),
      "the node side's are asked for",
    );
    assert.deepEqual(await healing([...all, "heal={crds,classes}"]), []);
    const [on, off] = await Promise.all([renderChart("helm-4", { set: all }), renderChart("helm-4", { set: ["heal={crds,classes}"] })]);
    assert.match(on, policy);
    assert.match(on, /'csi-secrets-store-provider-azure-windows'\]/);
    assert.doesNotMatch(off, /'csi-secrets-store-provider-azure-windows'\]/);
  });

  test("give the webhook's files a group where cert-manager writes them, but on OpenShift, which gives its own", async () => {
    const groupOf = async (...set: readonly string[]): Promise<unknown> => {
      const objects = await chartObjects("helm-4", { set: ["certManager.enabled=true", ...set] });
      const webhook = objects.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === "keyvault-injector-webhook");
      return at(webhook, "spec", "template", "spec", "securityContext", "fsGroup");
    };

    assert.equal(await groupOf(), 65_532);
    assert.equal(await groupOf("openshift=true"), undefined);
  });

  test("are not written out where they are the program's own defaults", async () => {
    const [shipped] = readManifests("base/webhook.yaml").filter(({ kind }) => kind === "Deployment");
    const rendered = (await chartObjects("helm-4")).find(
      ({ kind, metadata }) => kind === "Deployment" && metadata.name === "keyvault-injector-webhook",
    );

    const place = ["spec", "template", "spec", "containers", 0, "args"] as const;
    assert.deepEqual(at(rendered, ...place), at(shipped, ...place));
  });
});
