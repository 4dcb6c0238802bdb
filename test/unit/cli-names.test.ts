import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DoctorContext } from "../../src/cli/doctor/checks/check.ts";
import { checkInjection } from "../../src/cli/doctor/checks/webhook.ts";
import type { Cluster } from "../../src/cli/shared/command.ts";
import { targetResource } from "../../src/cli/shared/resources.ts";
import { KubeError, type Refuser } from "../../src/domain/ports/kube-error.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { aClass, aPod, OPTED_IN } from "../support/fixtures/pods.ts";

const namespace = (name: string): Manifest => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });

/** A class without Secrets. */
function classIn(of: string, name: string): Manifest {
  const metadata = { namespace: of, name };
  return Object.assign({ ...aClass() }, { apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: "SecretProviderClass", metadata });
}

const DEPLOYMENT: Manifest = Object.assign(
  { apiVersion: "apps/v1", kind: "Deployment", spec: { template: aPod({}) } },
  { metadata: { namespace: "shop", name: "web" } },
);

const shop = (unserved: readonly string[] = []) =>
  heldCluster([namespace("shop"), namespace("empty"), classIn("shop", "akvprovider-demo"), DEPLOYMENT], unserved);

describe("N3: what kubectl prints of an object", () => {
  for (const [word, kind] of [
    ["deployment.apps", "Deployment"],
    ["deployments.v1.apps", "Deployment"],
    ["Job.batch", "Job"],
    ["secretproviderclass.secrets-store.csi.x-k8s.io", "SecretProviderClass"],
    ["secretproviderclasssync.keyvault-injector.dev", "SecretProviderClass"],
    ["spcsync", "SecretProviderClass"],
    ["deployment.batch", undefined],
    ["deployment.", undefined],
    ["pod.json", undefined],
  ] as const) {
    test(`names a kind with its group: ${word}`, () => assert.equal(targetResource(word)?.kind, kind));
  }

  for (const [word, object] of [
    ["deployment.apps/web", "deployment/web"],
    ["secretproviderclass.secrets-store.csi.x-k8s.io/akvprovider-demo", "secretproviderclass/akvprovider-demo"],
    ["spcsync/akvprovider-demo", "secretproviderclass/akvprovider-demo"],
  ] as const) {
    test(`is what explain takes: ${word}`, async () => {
      const { output, notes } = await runOffline(["explain", word], "", { cluster: shop() });

      assert.deepEqual(notes, []);
      assert.ok(output.startsWith(`${object} in namespace shop: `), output);
    });

    if (object.startsWith("secretproviderclass")) {
      test(`is what doctor class takes: ${word}`, async () => {
        const { output } = await runOffline(["doctor", "class", word, "--no-vaults"], "", { cluster: shop() });

        assert.match(output, /^class shop\/akvprovider-demo\n/);
      });
    }
  }

  test("N26: is answered by the kind's own name, and by what to write, where it is not there", async () => {
    const { code, notes } = await runOffline(["explain", "po/gone"], "", { cluster: shop() });

    assert.deepEqual(
      [code, notes],
      [2, ["keyvault-injector explain: Pod gone does not exist in namespace shop; name another namespace with -n"]],
    );
  });
});

describe("N4: where the CRDs are not applied", () => {
  const bare = () => heldCluster([namespace("shop")], ["secretproviderclasses"]);

  test("doctor class says that, and not that the class is to be created", async () => {
    const { code, notes } = await runOffline(["doctor", "class", "shop/demo", "--no-vaults"], "", { cluster: bare() });

    assert.equal(code, 2);
    assert.match(notes.join("\n"), /^keyvault-injector doctor: the API server serves no secretproviderclasses/);
  });

  test("explain and render of a pod say that too", async () => {
    const pod = JSON.stringify(aPod(OPTED_IN));
    const said = /SecretProviderClass "?akvprovider-demo"? cannot exist: the API server serves no secretproviderclasses; apply the CRDs/;

    assert.match((await runOffline(["explain", "-f", "-"], pod, { cluster: bare() })).output, said);
    assert.match((await runOffline(["render", "-f", "-"], pod, { cluster: bare() })).notes.join("\n"), said);
  });
});

describe("N5: a class that is not there", () => {
  for (const [word, said] of [
    ["shop/akvprovider-dem", "SecretProviderClass shop/akvprovider-dem does not exist; did you mean akvprovider-demo?"],
    ["shp/akvprovider-demo", "namespace shp does not exist; did you mean shop?"],
    ["shop/other", "SecretProviderClass shop/other does not exist; namespace shop has akvprovider-demo\n"],
  ] as const) {
    test(`is answered with what is meant: ${word}`, async () => {
      const { code, output } = await runOffline(["doctor", "class", word, "--no-vaults"], "", { cluster: shop() });

      assert.equal(code, 1);
      assert.ok(output.includes(`class-absent: ${said}`), output);
    });
  }
});

describe("N6: a namespace that is not there", () => {
  for (const argv of [
    ["doctor", "class"],
    ["doctor", "plan"],
    ["grants"],
    ["restore", "--list"],
    ["restore", "shop"],
    ["explain", "pod/a"],
  ]) {
    test(`is an error of ${argv.join(" ")}`, async () => {
      const { code, notes } = await runOffline([...argv, "-n", "nosuch", ...(argv[1] === "class" ? ["--no-vaults"] : [])], "", {
        cluster: shop(),
      });

      assert.deepEqual([code, notes], [2, [`keyvault-injector ${argv[0] ?? ""}: namespace nosuch does not exist`]]);
    });
  }

  test("NC-14: is an error of doctor, which would create its pod there", async () => {
    const { code, notes } = await runOffline(["doctor", "-n", "nosuch"], "", { cluster: shop() });

    assert.deepEqual([code, notes], [2, ["keyvault-injector doctor: namespace nosuch does not exist"]]);
  });

  test("NC-14: of the kubeconfig is named by doctor's dry run", async () => {
    const create = async (): Promise<never> => {
      throw new KubeError("NotFound", "create pods nosuch/keyvault-injector-doctor: HTTP 404", { retry: { kind: "never" } });
    };
    const context = { cluster: { kube: { create }, namespace: "nosuch" } } as unknown as DoctorContext; // All that is asked for.

    assert.deepEqual(
      (await checkInjection(context)).map(({ state, message }) => `${state} ${message}`),
      ["SKIP not checked: namespace nosuch does not exist"],
    );
  });

  for (const subject of ["class", "plan"]) {
    test(`is told from one without classes by doctor ${subject}`, async () => {
      const { code, output } = await runOffline(["doctor", subject, "-n", "empty", "--no-vaults"], "", { cluster: shop() });

      assert.equal(code, 0);
      assert.match(output, /^there are no classes in namespace empty\n/);
    });
  }
});

describe("N10: what the user may not do", () => {
  const forbidden = (refuser: Refuser): Cluster => {
    const refuse = () =>
      Promise.reject(
        new KubeError(
          "Forbidden",
          "get namespaces keyvault-injector: HTTP 403: no (grant the ServiceAccount this permission, or check the policy that denied the request)",
          {
            retry: { kind: "never" },
            refuser,
          },
        ),
      );
    return { ...shop(), kube: { read: refuse, list: refuse } } as unknown as Cluster; // The command makes no other calls.
  };

  test("is told as theirs by uninstall, which advised on our ServiceAccount", async () => {
    const { code, notes } = await runOffline(["uninstall", "--prepare"], "", { cluster: forbidden({ kind: "rights" }) });

    assert.deepEqual(
      [code, notes],
      [2, ["keyvault-injector uninstall: you lack permission to get namespaces keyvault-injector; ask for it"]],
    );
  });

  test("is told in the policy's words where a policy refuses", async () => {
    const { notes } = await runOffline(["uninstall", "--prepare"], "", { cluster: forbidden({ kind: "policy", name: "p" }) });

    assert.deepEqual(notes, [
      "keyvault-injector uninstall: could not get namespaces keyvault-injector: get namespaces keyvault-injector: HTTP 403: no",
    ]);
  });

  test("is told with the way around it by grants", async () => {
    const { notes } = await runOffline(["grants"], "", { cluster: forbidden({ kind: "rights" }) });

    assert.deepEqual(notes, [
      "keyvault-injector grants: you lack permission to list secretproviderclasses; name a namespace with -n, or ask for permission",
    ]);
  });
});

describe("NB13: doctor plan where the CRDs are not applied", () => {
  const bare = () => heldCluster([namespace("shop")], ["secretproviderclasses"]);

  test("plans nothing, and says what comes next", async () => {
    const { code, output, notes } = await runOffline(["doctor", "plan"], "", { cluster: bare() });

    assert.deepEqual([code, notes], [0, []]);
    assert.equal(
      output,
      "0 classes, so the worker would write nothing: the API server does not serve secretproviderclasses yet; " +
        "install keyvault-injector, or the CSI driver, and then create a class\n",
    );
  });

  test("is an empty list for programs", async () => {
    const { code, output } = await runOffline(["doctor", "plan", "-o", "json"], "", { cluster: bare() });

    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(output).classes, []);
  });
});
