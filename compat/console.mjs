// Clicks through the web console in Chromium (see console_test.go). Whatever is not as it should be is thrown.
import assert from "node:assert/strict";
import { IAMClient, ListUsersCommand, PutRolePolicyCommand, UpdateAccessKeyCommand } from "@aws-sdk/client-iam";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { chromium } from "playwright-core";

const about = JSON.parse(process.argv[2]);
const page = (path) => about.url + "/_licet/console/" + path;
const iam = new IAMClient({ endpoint: about.url });
const lambda = new LambdaClient({ endpoint: about.url });
const user = new IAMClient({ endpoint: about.url, credentials: { accessKeyId: about.userKey, secretAccessKey: about.userSecret } });

// The browser finds no name, and no machine but this.
const browser = await chromium.launch({
  executablePath: about.chromium,
  args: ["--no-sandbox", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
});

// open makes a window in which every complaint of the browser, and every request to elsewhere, is a failure.
const complaints = [];
async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(20_000);
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: about.url });
  const tab = await context.newPage();
  tab.on("console", (m) => { if (["error", "warning"].includes(m.type())) complaints.push(m.text() + " " + m.location().url); });
  tab.on("pageerror", (e) => complaints.push(String(e)));
  tab.on("request", (r) => { if (!r.url().startsWith(about.url + "/_licet/")) complaints.push("asks " + r.url()); });
  return tab;
}

async function signIn(tab, key, secret) {
  await tab.goto(about.url + "/_licet/");
  await tab.getByLabel("Access key id").fill(key);
  await tab.getByLabel("Secret access key").fill(secret);
  await tab.getByRole("button", { name: "Sign in" }).click();
}

const heading = (tab, name) => tab.getByRole("heading", { level: 1, name, exact: true }).waitFor();

// inspect looks for what keeps people from using a page: the rules of WCAG 2.2 that a program can check.
function inspect() {
  const faults = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const fault = (what, e) => faults.push(what + ": " + e.outerHTML.slice(0, 120));
  if (document.documentElement.lang !== "en") faults.push("no language");
  if (!document.title) faults.push("no title");
  if (all("h1").length !== 1) faults.push(all("h1").length + " headings of level 1");
  if (all("main").length !== 1) faults.push("no main");
  let level = 0;
  for (const h of all("h1,h2,h3,h4")) {
    if (+h.tagName[1] > level + 1) fault("heading skips a level", h);
    level = +h.tagName[1];
  }
  for (const e of all("input:not([type=hidden]),select,textarea")) if (!e.labels.length) fault("no label", e);
  for (const e of all("button,a")) if (!e.textContent.trim() && !e.ariaLabel) fault("no name", e);
  for (const e of all("table")) if (!e.caption?.textContent) fault("no caption", e);
  for (const e of all("th")) if (!e.scope) fault("no scope", e);
  for (const e of all("img")) if (!e.hasAttribute("alt")) fault("no alt", e);
  for (const e of all("[tabindex]")) if (e.tabIndex > 0) fault("tab order", e);
  for (const e of all("nav,[role=region],pre[tabindex]")) if (!e.ariaLabel) fault("no label", e);
  const ids = all("[id]").map((e) => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push("id twice: " + id);
  if (document.documentElement.scrollWidth > innerWidth) faults.push("wider than the window");

  // Contrast of 4.5 (WCAG 1.4.3), of every text on what lies behind it.
  const rgb = (text) => text.match(/[\d.]+/g).map(Number);
  const luminance = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !e.checkVisibility() || e.closest("tr.new")) continue;
    const [a, b] = [luminance(rgb(getComputedStyle(e).color)), luminance(ground(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) fault("contrast " + ((a + .05) / (b + .05)).toFixed(2), e);
  }
  return faults;
}

async function accessible(tab, name) {
  assert.deepEqual(await tab.evaluate(inspect), [], name + " at " + tab.url());
  await tab.screenshot({ path: `${about.shots}/${name}.png`, fullPage: true });
}

const copied = (tab) => tab.evaluate(() => navigator.clipboard.readText());

// A wrong secret, then the right one.
const tab = await open();
await signIn(tab, about.rootKey, about.rootSecret + "x");
await tab.getByRole("alert").filter({ hasText: "not valid" }).waitFor();
await accessible(tab, "sign-in");
complaints.length = 0; // the browser complains of the answer's status
await tab.getByLabel("Secret access key").fill(about.rootSecret);
await tab.getByRole("button", { name: "Sign in" }).click();
await heading(tab, "Overview");
await accessible(tab, "overview");

// A denial appears while the log is followed, and only what the filter lets through.
await tab.getByRole("link", { name: "Decisions", exact: true }).click();
await tab.getByLabel("Verdict").selectOption("denied");
await tab.getByLabel("Action").fill("iam:List*");
await tab.getByRole("button", { name: "Filter" }).click();
await tab.waitForURL(/verdict=denied.*action=iam/);
await tab.getByText("The log has no such decisions.").waitFor();
assert.equal(await tab.getByRole("button", { name: "Follow live" }).getAttribute("aria-pressed"), "true");
await assert.rejects(user.send(new ListUsersCommand({})), { name: "AccessDenied" });
const line = tab.getByRole("row").filter({ hasText: "iam:ListUsers" });
await line.waitFor();
await tab.getByText("1 new, 1 of them denied.").waitFor();
assert.equal(await tab.locator("#log tbody tr").count(), 1);
await accessible(tab, "decisions");

// Its explanation shows what decided.
await line.getByRole("link").click();
await heading(tab, "iam:ListUsers");
const step = tab.locator(".step.decides");
assert.match(await step.innerText(), /identity-based policy[^]*denies it[^]*decides/);
assert.equal(await tab.locator(".path .step").count(), 7);
assert.match(await tab.locator("mark.decides").allInnerTexts().then((lines) => lines.join("")), /"Deny"[^]*iam:ListUsers/);
await tab.getByText("Remove the Deny").waitFor();
await tab.getByText("Judged again with this, the request is allowed.").waitFor();
await tab.locator("summary").first().click();
await accessible(tab, "decision");

// Supposed again as another call, it is allowed.
await tab.getByLabel("Action").fill("lambda:ListFunctions");
await tab.getByRole("button", { name: "Suppose it" }).click();
await heading(tab, "Suppose a call");
await tab.locator(".step.allowed.decides").waitFor();
await accessible(tab, "suppose");
await tab.getByLabel("Action").fill("lambda:Nothing");
await tab.getByRole("button", { name: "Suppose it" }).click();
await tab.getByRole("alert").filter({ hasText: "AWS has no action lambda:Nothing." }).waitFor();

// What a function lacks is copied, made the role's policy, and is enough.
await tab.getByRole("link", { name: "Functions" }).click();
await tab.getByRole("row").filter({ hasText: about.name }).getByRole("link", { name: about.name }).click();
await heading(tab, about.name);
await accessible(tab, "function");
await tab.getByRole("button", { name: "Copy the fix" }).click();
await tab.getByRole("status").filter({ hasText: "Copied." }).waitFor({ state: "attached" });
const fix = await copied(tab);
assert.deepEqual(JSON.parse(fix), { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "sqs:SendMessage", Resource: about.queueArn }] });
await iam.send(new PutRolePolicyCommand({ RoleName: about.role, PolicyName: "fix", PolicyDocument: fix }));
const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: about.name, Payload: JSON.stringify(about.queue) }));
assert.equal(Buffer.from(Payload).toString(), '"sent"');
await tab.reload();
await tab.getByText("What was denied is allowed by now (1).").waitFor();

// The role, with the policy it would need.
await tab.getByRole("link", { name: about.role }).click();
await heading(tab, about.role);
await tab.getByRole("button", { name: "Copy the least policy" }).click();
await tab.getByRole("status").filter({ hasText: "Copied." }).waitFor({ state: "attached" });
assert.match(await copied(tab), /sqs:SendMessage/);
await accessible(tab, "role");
await tab.getByRole("link", { name: "Roles" }).first().click();
await accessible(tab, "roles");

// The matrix, and from a cell to its reasons.
await tab.getByRole("link", { name: "Who can invoke what" }).click();
await heading(tab, "Who can invoke what");
const cell = (who, verdict) => tab.getByRole("link", { name: new RegExp(`${verdict}\\s*: \\S*${who} and ${about.name},`) });
await cell("s3.amazonaws.com", "yes").waitFor();
await cell(":root", "yes").waitFor();
await accessible(tab, "matrix");
await cell(about.user, "no").click();
await tab.getByRole("heading", { level: 2, name: "lambda:InvokeFunction" }).waitFor();
await tab.locator(".step.implicitDeny.decides").waitFor();
await tab.goBack();
await cell("s3.amazonaws.com", "yes").click();
assert.match(await tab.locator(".step.decides").innerText(), /resource-based policy[^]*allows it/);

// Signed out, nothing is left: neither a page nor the one before.
await tab.getByRole("button", { name: "Sign out" }).click();
await heading(tab, "Sign in");
await tab.goBack();
await heading(tab, "Sign in");

// By keyboard alone, with the focus in sight.
await tab.goto(about.url + "/_licet/");
const focused = (label) => tab.getByLabel(label).and(tab.locator(":focus")).waitFor();
await focused("Access key id");
await tab.keyboard.type(about.rootKey);
await tab.keyboard.press("Tab");
await focused("Secret access key");
await tab.keyboard.type(about.rootSecret);
await tab.keyboard.press("Enter");
await heading(tab, "Overview");
async function tabTo(name) {
  await tab.waitForLoadState(); // the style sheet, too
  for (let i = 0; i < 60; i++) {
    await tab.keyboard.press("Tab");
    const at = await tab.evaluate(() => ({ name: document.activeElement.textContent.trim(), outline: getComputedStyle(document.activeElement).outlineWidth }));
    assert.equal(at.outline, "3px", "the focus does not show on " + at.name);
    if (at.name === name) return;
  }
  assert.fail("the keyboard does not reach " + name);
}
await tabTo("Skip to content");
await tab.keyboard.press("Enter");
assert.equal(await tab.evaluate(() => document.activeElement.id), "main");
await tabTo("iam:ListUsers");
await tab.keyboard.press("Enter");
await heading(tab, "iam:ListUsers");
await tabTo("Sign out");
await tab.keyboard.press("Enter");
await heading(tab, "Sign in");

// The other theme, a small window, and no script.
for (const [name, options] of [["dark", { colorScheme: "dark" }], ["small", { viewport: { width: 375, height: 800 } }], ["plain", { javaScriptEnabled: false }]]) {
  const other = await open(options);
  await signIn(other, about.rootKey, about.rootSecret);
  await heading(other, "Overview");
  for (const path of ["functions", "functions/" + about.name, "roles", "roles/" + about.role, "decisions", "matrix", "suppose"]) {
    await other.goto(page(path));
    if (name !== "plain") await accessible(other, name + "-" + path.split("/").length + path.split("/")[0]);
  }
  await other.goto(page("decisions"));
  await other.getByLabel("Action").fill("iam:ListUsers");
  await other.getByLabel("Verdict").selectOption("denied");
  await other.getByRole("button", { name: "Filter" }).click();
  await other.waitForURL(/action=iam/);
  await other.getByRole("link", { name: "iam:ListUsers" }).first().click();
  await heading(other, "iam:ListUsers");
  if (name !== "plain") await accessible(other, name + "-decision");
  await other.context().close();
}

// A page that a function writes has the console's host and port, but not its origin: it cannot read the console, nor be framed into it.
const trap = await open();
await signIn(trap, about.rootKey, about.rootSecret);
await heading(trap, "Overview");
await trap.goto(about.url + "/_licet/lambda-url/" + about.trap + "/");
const before = complaints.length;
const stolen = await trap.evaluate(async () => {
  let fetched;
  try {
    fetched = await (await fetch("/_licet/console/decisions?part=rows")).text();
  } catch (e) {
    fetched = String(e);
  }
  let cookie;
  try { cookie = document.cookie; } catch (e) { cookie = e.name; }
  return { origin: self.origin, fetched, cookie, event: document.body.textContent };
});
assert.equal(stolen.origin, "null");
assert.equal(stolen.cookie, "SecurityError");
assert.match(stolen.fetched, /TypeError: Failed to fetch/);
assert.match(stolen.event, /^cookies: none/);
await trap.context().close();
complaints.splice(before); // the browser complains of the fetch that it refused

// A user sees what its policies let it see, and is out as soon as its key is.
const narrow = await open();
await signIn(narrow, about.userKey, about.userSecret);
await heading(narrow, "Overview");
await narrow.getByText("is not authorized to perform: iam:ListRoles").waitFor();
await accessible(narrow, "user");
await narrow.getByRole("link", { name: "Functions" }).first().click();
await narrow.getByRole("link", { name: about.name }).waitFor();
await narrow.getByRole("link", { name: "Decisions", exact: true }).click();
await narrow.getByText("Only the root of an account may read its decision log.").waitFor();
await iam.send(new UpdateAccessKeyCommand({ UserName: about.user, AccessKeyId: about.userKey, Status: "Inactive" }));
await narrow.reload();
await heading(narrow, "Sign in");

assert.deepEqual(complaints, []);
await browser.close();
console.log("all done");
