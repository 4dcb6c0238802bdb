import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { parse, stringify } from "yaml";
import { DRIVER_ROWS } from "../../tools/helm-chart/values-driver.ts";
import { PROVIDER_ROWS } from "../../tools/helm-chart/values-provider.ts";
import { moduleFolder, moduleRefusal } from "../support/go-module.ts";
import { chartObjects, chartRefusal, HELM_VERSIONS, helmRefusal, renderChart, withoutPodTemplates } from "../support/helm.ts";
import { at, readManifests } from "../support/shipped-manifests.ts";

const refusal = helmRefusal() ?? moduleRefusal();
const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;

const NAME = "secrets-store-csi-driver";

/** The row's last word, where it was refused: the line of the message that is about it. */
function lineAbout(message: string, value: string): string {
  return message.split("\n").find((line) => line.startsWith(`- ${value}: `)) ?? `nothing about ${value} in: ${message}`;
}

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

    assert.match(lineAbout(message, "syncSecret"), /did you mean secrets-store-csi-driver\.syncSecret\?/);
    assert.match(lineAbout(message, "linux.driver"), /did you mean secrets-store-csi-driver\.linux\.driver\?/);
  });

  test("are refused with what the extension has beyond the open chart, and know every name of it", async () => {
    const message = await chartRefusal("helm-4", { args: ["--values", path.join(provider, "arc-values.yaml")] });

    assert.match(lineAbout(message, "enableArcExtension"), /true is refused: .*Azure\.proxySettings/);
    assert.match(lineAbout(message, "telegraf"), /telemetry/);
    assert.doesNotMatch(message, /no such value/);
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

    assert.match(lineAbout(message, "syncSecrets"), /no such value; did you mean secrets-store-csi-driver\.syncSecret\?/);
    assert.match(lineAbout(message, "linux.kubeletRootDr"), /did you mean linux\.kubeletRootDir\?/);
    assert.match(lineAbout(message, "imge"), /did you mean image\?/);
    assert.match(lineAbout(message, "zzz"), /`helm show values` lists them/);
    assert.match(lineAbout(message, "nameOverride"), /"other" is refused: policies, healing and certificates/);
  });

  test("leave labels, annotations and whatever else is Kubernetes' own to the user", async () => {
    await renderChart("helm-4", { set: ["sync.podLabels.anything=goes", "linux.podAnnotations.whatever=else", "global.any=thing"] });
  });

  test("refuse kubelet folders that are not the same, and take the same ones, however written", async () => {
    const linux = await refused("linux.kubeletRootDir=/var/kubelet");
    assert.match(
      linux,
      /linux\.kubeletRootDir is \/var\/kubelet and secrets-store-csi-driver\.linux\.kubeletRootDir is \/var\/lib\/kubelet/,
    );
    const windows = await refused("windows.kubeletRootDir=D:\\\\kubelet");
    assert.match(windows, /windows\.kubeletRootDir is D:\\kubelet and/);

    const set = ["linux.kubeletRootDir=/path/to/kubelet", `${NAME}.linux.kubeletRootDir=/path/to/kubelet/`];
    const text = withoutPodTemplates(await renderChart("helm-4", { set }));
    assert.equal(text.match(/"?\/path\/to\/kubelet\/[^/\s"]+/g)?.length, 5);
    assert.doesNotMatch(text, /\/var\/lib\/kubelet/);
  });

  test("refuse folders of sockets that the driver does not look into", async () => {
    assert.match(await refused("linux.providersDir=/var/sockets"), /linux\.providersDir is \/var\/sockets, where the driver does not look/);
    await renderChart("helm-4", { set: ["linux.providersDir=/var/sockets", `${NAME}.linux.additionalProvidersDirs[0]=/var/sockets`] });
    await renderChart("helm-4", { set: ["linux.providersDir=/var/sockets", `${NAME}.install=false`] });
  });

  test("refuse rotation with a driver that would read Secrets for it", async () => {
    const tag = `${NAME}.linux.image.tag=v1.5.6`;
    assert.match(
      await refused(tag, `${NAME}.enableSecretRotation=true`),
      /v1\.5\.6 rotates mounts by reading Secrets of the whole cluster/,
    );
    await renderChart("helm-4", { set: [tag] });
  });

  test("refuse what is no name of a namespace, and take no list and an empty one for all of them", async () => {
    const message = await refused("namespaces={team-a,Team/B,team-c\\,team-d}");
    const told = message.split("\n").filter((line) => line.startsWith("- "));
    assert.deepEqual(
      told,
      ["Team/B", "team-c,team-d"].map(
        (name) =>
          `- namespaces: "${name}" is no name of a namespace: write one name as an item, lower-case letters, digits and -, at most 63`,
      ),
    );
    const long = "n".repeat(64);
    assert.match(await refused(`namespaces={${long}}`), new RegExp(`- namespaces: "${long}" is no name`));

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
      /nothing is issued .* set it to true, or leave the issuer out/,
    );
    assert.match(await about("issuerRef.name", on, "certManager.issuerRef.kind=ClusterIssuer"), /name the issuer, or leave these out/);
    const kind = ["certManager.issuerRef.name=ours", "certManager.issuerRef.kind=Vault"];
    assert.match(await about("issuerRef.kind", on, ...kind), /cert-manager has no "Vault": write Issuer or ClusterIssuer/);
    assert.match(await about("issuerref", on, "certManager.issuerref.name=ours"), /did you mean certManager\.issuerRef\?/);

    await renderChart("helm-4", { set: [on, ...kind, "certManager.issuerRef.group=certificates.example.com"] });
    const [without, shipped] = await Promise.all([renderChart("helm-4", { set: ["certManager=null"] }), renderChart("helm-4")]);
    assert.equal(without, shipped);
  });

  test("refuse two sources of the CAs of clients, and do without the values of a release of an older chart", async () => {
    const both = await refused("clientCA.configMap=one", "clientCA.secret=other");

    assert.match(lineAbout(both, "clientCA"), /a ConfigMap and a Secret are given: name the one that has the CAs/);
    const [without, shipped] = await Promise.all([renderChart("helm-4", { set: ["clientCA=null"] }), renderChart("helm-4")]);
    assert.equal(without, shipped);
  });

  test("refuse values of a wrong type, by the schema", async () => {
    const message = await refused("syncMode=often", "webhook.replicas=many", "namespaces=team-a");
    assert.match(message, /syncMode.*'always', 'while-used', 'never'/);
    assert.match(message, /webhook\/replicas.*want integer/);
    assert.match(message, /namespaces.*want null or array/);
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
      "--sync-secret=false",
      "--enable-secret-rotation=false",
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

  test("leave out every right of component healing where it is switched off", async () => {
    const healing = async (set: readonly string[]): Promise<readonly string[]> =>
      (await chartObjects("helm-4", { set }))
        .filter(({ metadata }) => metadata.labels?.["app.kubernetes.io/component"] === "component-healing")
        .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    const policy = /name: isOwnComponent/;

    assert.ok((await healing([])).length >= 8);
    assert.deepEqual(await healing(["heal={crds,classes}"]), []);
    const [on, off] = await Promise.all([renderChart("helm-4"), renderChart("helm-4", { set: ["heal={crds,classes}"] })]);
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
