import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { runCli } from "../support/cli/cli.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { fencedBlocks } from "../support/docs/markdown.ts";
import { commandsOf, type RunbookCommand } from "../support/docs/runbook-commands.ts";
import { eventually } from "../support/time/eventually.ts";
import { type GatewayWorld, installGatewayApi, startGatewayWorld } from "./gateway-tls/gateway-world.ts";
import { moduleRefusal } from "./go-module.ts";

const refusal = controlPlaneRefusal() ?? moduleRefusal();
const page = readRepositoryFile("docs/how-to/tls-for-gateways.md");

let world: GatewayWorld;

async function outputOf({ program, words, line }: RunbookCommand): Promise<string> {
  if (program === "kubectl") return world.plane.kubectl(words);
  assert.equal(program, "keyvault-injector", line);
  const { code, stdout, stderr } = await runCli(words, { kubeconfig: world.plane.kubeconfigPath });
  assert.equal(code, 0, `${line}: ${stderr}`);
  return stdout;
}

/** Returns the commands of a console block, each with the output that the page shows. */
function checksOf(text: string): readonly (readonly [RunbookCommand, string])[] {
  return text
    .split(/^\$ /m)
    .filter((part) => part !== "")
    .map((part) => {
      const [line = "", ...output] = part.split("\n");
      const [command = assert.fail(part)] = commandsOf(`\`\`\`sh\n${line}\n\`\`\`\n`);
      return [command, comparable(output.join("\n"))];
    });
}

/** Removes the parts of the output that differ between runs: ages, and the width of columns. */
function comparable(output: string): string {
  return output
    .trim()
    .replaceAll(/\b\d+s\b/g, "<age>")
    .replaceAll(/ +/g, " ");
}

async function printsAsShown([command, shown]: ReturnType<typeof checksOf>[number]): Promise<void> {
  let last = "";
  const isShown = async (): Promise<boolean> => {
    last = comparable(await outputOf(command).catch((error: unknown) => String(error)));
    return last === shown;
  };
  await eventually(isShown, { what: command.line, within: 20_000 }).catch(() => assert.equal(last, shown, command.line));
}

describe("the how-to on TLS for Gateways", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startGatewayWorld();
    await installGatewayApi(world.plane);
    await world.emulator.createCertificate({ vault: world.vault, name: "shop" });
    await world.plane.kubectl(["create", "namespace", "shop"]);
    await world.createAccount("shop");
    await world.product.start("sync", { args: ["--gateway-classes=my-gateways"] });
  });
  after(async () => {
    await world?.stop();
  });

  test("A5: ends with a certificate where it is followed in its order, and its checks print what it shows", async () => {
    const steps = page.slice(page.indexOf("\n## 2."), page.indexOf("\n## Removal"));
    for (const { language, text } of fencedBlocks(steps)) {
      if (language === "yaml") await world.plane.kubectl(["apply", "-f", "-"], text.replaceAll("my-vault", world.vault));
      if (language === "sh") for (const command of commandsOf(`\`\`\`sh\n${text}\`\`\`\n`)) await outputOf(command);
      if (language === "console") for (const check of checksOf(text)) await printsAsShown(check);
    }
  });

  test("A5: says that the grants of a certificate are listed by its class, and they are", async () => {
    const { code, stdout } = await runCli(["grants", "--namespace", "shop"], { kubeconfig: world.plane.kubeconfigPath });

    assert.equal(code, 0);
    assert.match(stdout, /\nNamespace shop\n {2}= ServiceAccount gateway-cert: kv-gw-cert-web-https\n/);
  });
});
