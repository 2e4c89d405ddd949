// The page for a site's Jira admin. Data reaches the document as text and attributes only.

// --- Words ---

const TEXT = {
  title: "Relay",
  intro: "Incidents and reviews from your operations tool, on Jira's Incidents page.",
  loading: "Loading…",
  refresh: "Refresh",
  newTab: "(opens in a new tab)",
  states: {
    active: "Connected",
    slowed: "Slowed",
    "needs attention": "Needs attention",
    uninstalled: "Not installed",
  },
  facts: {
    as: "Connected as",
    since: "Installed",
    region: "Data region",
    version: "Version",
    connect: "Connect app",
    forge: "Forge app",
    nothing: "Not connected",
  },
  trouble: {
    codes: {
      rate_limited: "Jira asks for fewer calls",
      site_down: "Jira can't answer at the moment",
      unreachable: "Relay can't reach Jira",
      unreadable: "Something other than Jira answered",
      credential_refused: "Jira refuses Relay's credentials",
      access_refused: "Jira refuses access to Relay",
      nothing_there: "Jira reports that the site or the app is gone",
      moved: "The site has a new address",
      unexpected: "Jira gave an unexpected answer",
      suspended: "Jira does not answer; the site may be suspended",
      not_jira: "The site's address does not lead to Jira",
    },
    other: "Relay can't deliver to Jira",
    advice: "What to do:",
    since: "Since",
    until: "Next attempt",
    kept: "Nothing is lost: Relay delivers what is owed once Jira accepts calls again.",
  },
  steps: {
    title: "Start in three steps",
    done: "Done",
    offer: "Get a workspace offered",
    offerHelp:
      "A workspace has the incidents and reviews of one operations tool or team. Ask the operator, who runs Relay for you, to offer yours to this site:",
    offered: "The operator of Relay has offered a workspace to this site.",
    link: "Link the workspace",
    linkHelp: "Choose Link below. Relay then delivers all its incidents and reviews to Jira.",
    linkLater: "Once offered, the workspace is listed here with a Link button.",
    check: "Make a test incident",
    checkHelp:
      "Add a service of the workspace on a project's Incidents page, then make a test incident here. It shows that deliveries arrive.",
  },
  workspaces: "Linked workspaces",
  card: {
    shown: "Shown in Jira",
    owed: "Owed to Jira",
    refused: "Refused by Jira",
    show: {
      owed: (count) => `${count} owed to Jira: show them`,
      refused: (count) => `${count} refused by Jira: show them`,
    },
    last: "Last delivery",
    never: "Nothing was delivered yet",
    sources: "Sources",
    noSources: "None. The workspace is filled through Relay's API.",
    lastCall: "last call",
    noCall: "no call yet",
    calls: { taken: "accepted", ignored: "ignored", refused: "refused by Relay" },
    callRefused: "The operator of Relay can see why Relay refuses a tool's calls.",
    deliver: "Deliver again",
    unlink: "Unlink",
    test: "Test incident",
    testMake: "Make a test incident",
    testRemove: "Remove the test incident",
    testHelp:
      "Appears on the Incidents page of projects that have added a service of this workspace, on all sites that it is linked to.",
    testExists:
      "It is on the Incidents page of projects that have added a service of this workspace.",
  },
  replay: {
    names: { owed: "what is owed", all: "everything", since: "recent changes" },
    waiting: (what) => `Waiting to deliver ${what}`,
    running: (what) => `Delivering ${what}`,
    paused: (what) => `Paused while delivering ${what}`,
    done: (what) => `Delivered ${what}`,
    of: (done, total) => `${done} of ${total}`,
    counted: (done) => `${done} so far`,
    rate: (rate) => `${rate} per second`,
    refused: (count) => `${count} refused by Jira`,
    nothing: (name) => `${name}: there was nothing to deliver.`,
    settled: (count) => (count === "1" ? "1 incident or review" : `${count} incidents and reviews`),
    until: "Next attempt",
    label: (name) => `Delivery of ${name}`,
    finished: (name, settled, refused) =>
      `${name}: Jira has answered for ${settled}` +
      (refused === "0" ? "." : `, and refused ${refused} of them.`),
  },
  offers: {
    title: "Offered to this site",
    help: "Link a workspace to show its incidents and reviews in Jira.",
    link: "Link",
    linking: "Linking…",
  },
  list: {
    title: "Not in Jira",
    help: "What Jira has refused, and what it is owed: Relay has recorded it, but not delivered it yet.",
    workspace: "Workspace",
    state: "State",
    search: "Search",
    hint: "Title or id",
    refused: "Refused",
    owed: "Owed",
    more: "Load more",
    further: "Search further",
    loading: "Loading…",
    retry: "Try again",
    all: (count) => `${count} shown, that is all.`,
    some: (count) => `${count} shown so far.`,
    none: {
      refused: "Jira has refused nothing of this workspace.",
      owed: "Nothing is owed. Jira has everything that it accepts.",
    },
    noMatch: "Nothing matches the search.",
    noMatchYet: "Nothing matches so far.",
    failed: "The list could not be loaded.",
    deleted: "Deletion",
    kinds: { incident: "Incident", review: "Review" },
    at: { refused: "refused", owed: "owed since" },
    noWords: "Jira gave no reason.",
  },
  dialog: {
    cancel: "Cancel",
    unlinkTitle: (name) => `Unlink ${name}?`,
    unlink: [
      "Jira deletes all incidents and reviews of this workspace from this site, also their links to issues.",
      "Your operations tool keeps them. You can link the workspace again while it is offered to this site. Relay then delivers everything again, but not the links to issues that people made in Jira.",
    ],
    unlinkAction: "Unlink and delete",
    deliverTitle: (name) => `Deliver ${name} again`,
    deliverWhat: "What should Relay deliver?",
    owed: "What is owed",
    owedHelp: "Only what could not be delivered yet. Relay also does this by itself.",
    all: "Everything",
    allHelp:
      "Also what Jira shows or has refused. Choose this after a fix in your tool, or if Jira has lost data. It may take minutes.",
    deliverAction: "Deliver",
  },
  flags: {
    dismiss: "Dismiss",
    linked: (name) => `${name} is linked. Relay delivers what it has recorded.`,
    trouble: (title) => `${title}.`,
    recovered: "Jira accepts Relay's calls again.",
    unlinked: (name) => `${name} is unlinked. Jira deletes its data.`,
    delivering: (name) => `The delivery of ${name} has been requested.`,
    testMade: (name) => `A test incident of ${name} is on its way to Jira.`,
    testRemoved: (name) => `Jira deletes the test incident of ${name}.`,
    failed: "That did not work.",
    unreachable: "The connection to Relay failed.",
    slow: "Relay did not answer in time, so it may have been done.",
  },
  problems: {
    forbidden: {
      title: "This page is for Jira admins",
      body: "Ask a Jira admin of this site to open it, or to give you the global permission “Administer Jira” (Settings, System, Global permissions).",
      action: "Check again",
    },
    expired: {
      title: "Your session has expired",
      body: "Reload the page in your browser to continue. Nothing is lost.",
      action: "Reload",
    },
    down: {
      title: "Relay does not answer",
      body: "This usually passes within minutes. Deliveries to Jira may continue in the meantime.",
      action: "Try again",
    },
    unasked: {
      title: "Relay can't check that you are an admin",
      body: "Relay asks Jira before it shows this page, and got no usable answer. Nothing is lost: what Relay could not deliver, it delivers once Jira accepts calls again.",
      more: "If this lasts, look in Jira's app management whether the app is enabled and its new permissions are approved. If they are, uninstall the app and install it again, so that Jira and Relay agree on a new secret.",
      action: "Try again",
    },
    stale: {
      title: "Relay does not answer; the numbers may be old",
      body: "The page tries again by itself.",
      action: "Try now",
    },
    staleUnasked: {
      title: "Relay can't check that you are an admin; the numbers may be old",
      body: "The page tries again by itself.",
      action: "Try now",
    },
    outside: {
      title: "Open this page in Jira",
      body: "In Jira, choose Settings, Apps, then Relay. The page gets its permission from Jira and can't be used elsewhere.",
    },
  },
};

const LOCALE = "en-GB";
const MOMENT = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short" });
const EXACT = new Intl.DateTimeFormat(LOCALE, { dateStyle: "full", timeStyle: "long" });
const AGO = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" });
const NUMBER = new Intl.NumberFormat(LOCALE);
const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

function relative(moment) {
  const seconds = (moment - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? [];
  if (!unit) return seconds > 0 ? "in less than a minute" : "just now";
  return AGO.format(Math.trunc(seconds / size), unit);
}

// --- The API ---

const CALL_MS = 30_000;
const BASE = new URL("./", import.meta.url);

class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }

  get problem() {
    if (this.status === 401) return "expired";
    if (this.status === 403) return "forbidden";
    if (this.code === "jira_unavailable") return "unasked";
    return this.code === "outside" ? "outside" : "down";
  }
}

// Problems that pass by themselves: the page keeps what it shows, and tries again.
const STALE = { down: "stale", unasked: "staleUnasked" };

function inTime(promise) {
  const late = new Promise((_, reject) => {
    setTimeout(() => reject(new ApiError(0, "timeout", TEXT.flags.slow)), CALL_MS);
  });
  return Promise.race([promise, late]);
}

// Jira's library renews the token before it expires, so none is kept here.
function contextToken() {
  return new Promise((resolve) => window.AP.context.getToken(resolve));
}

async function requestByConnect(method, path, body) {
  const headers = { Authorization: `JWT ${await contextToken()}` };
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(new URL(path, BASE), {
    method,
    headers,
    body: body && JSON.stringify(body),
    credentials: "omit",
    cache: "no-store",
    redirect: "error",
  });
  return { status: answer.status, body: await answer.json().catch(() => null) };
}

function transport() {
  if (window.relayForge) {
    return (method, path, body) => window.relayForge.request(method, `/page/${path}`, body);
  }
  return window.AP?.context ? requestByConnect : null;
}

async function call(method, path, body) {
  const request = transport();
  if (!request) throw new ApiError(0, "outside", "");
  let answer;
  try {
    answer = await inTime(request(method, path, body));
    // A token may expire on its way; the second call gets a new one.
    if (answer.status === 401) answer = await inTime(request(method, path, body));
  } catch (error) {
    throw error instanceof ApiError
      ? error
      : new ApiError(0, "unreachable", TEXT.flags.unreachable);
  }
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  const { code = "", message = "" } = answer.body?.error ?? {};
  throw new ApiError(answer.status, code, message);
}

const below = (id, rest) => `workspaces/${encodeURIComponent(id)}/${rest}`;

// --- Elements ---

function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

const hidden = (text) => h("span", { class: "visually-hidden" }, text);
const lozenge = (look, text) => h("span", { class: `lozenge ${look}` }, text);

function button(text, action, { look = "default", about, label, busy, id } = {}) {
  return h(
    "button",
    {
      type: "button",
      id,
      class: `button ${look}`,
      "data-action": action,
      "data-about": about,
      "aria-label": label,
      "aria-disabled": busy && "true",
    },
    text,
  );
}

// Only http and https become links: a tool's data may hold `javascript:`.
function link(text, url) {
  let parsed = null;
  try {
    parsed = new URL(url);
  } catch {
    // Text without a link.
  }
  if (!["http:", "https:"].includes(parsed?.protocol)) return h("span", {}, text);
  const target = { target: "_blank", rel: "noopener noreferrer" };
  return h("a", { href: parsed.href, ...target }, text, hidden(` ${TEXT.newTab}`));
}

function time(moment, prefix = "") {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return h("span", {}, String(moment));
  const attributes = { datetime: date.toISOString(), title: EXACT.format(date) };
  return h("time", attributes, `${prefix}${relative(date)}`);
}

function exactTime(moment) {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return h("span", {}, String(moment));
  const text = `${MOMENT.format(date)} (${relative(date)})`;
  return h("time", { datetime: date.toISOString(), title: EXACT.format(date) }, text);
}

function message(look, title, ...body) {
  return h(
    "section",
    { class: `message ${look}` },
    h("span", { class: "message-icon", "aria-hidden": "true" }),
    h("div", { class: "message-body" }, h("h2", { class: "message-title" }, title), ...body),
  );
}

// Makes `old` equal to `made`, and keeps elements that stay: with them their focus and their place
// for a screen reader. Elements with an id are matched by it, others by their position.
function morph(old, made) {
  for (const { name } of [...old.attributes]) {
    if (!made.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of made.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  morphChildren(old, [...made.childNodes]);
}

function morphChildren(parent, wanted) {
  let place = parent.firstChild;
  for (const made of wanted) {
    const named = made.id && [...parent.children].find((child) => child.id === made.id);
    if (named && named !== place) parent.insertBefore(named, place);
    const old = named || place;
    if (old && isAlike(old, made)) {
      if (old.nodeType === Node.ELEMENT_NODE) morph(old, made);
      else if (old.data !== made.data) old.data = made.data;
      place = old.nextSibling;
    } else {
      parent.insertBefore(made, place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

const isAlike = (old, made) => old.nodeName === made.nodeName && (old.id ?? "") === (made.id ?? "");

// --- What the page shows of the site ---

const LOOKS = {
  active: "success",
  slowed: "warning",
  "needs attention": "danger",
  uninstalled: "neutral",
};

function headerView(site) {
  const { facts } = TEXT;
  const rows = [
    [facts.as, facts[site.connectedAs] ?? facts.nothing],
    [facts.since, exactTime(site.since)],
    [facts.region, site.region],
    [facts.version, site.version],
  ];
  return h(
    "header",
    { class: "page-header", id: "header" },
    h(
      "div",
      { class: "title-row" },
      h("h1", {}, TEXT.title),
      lozenge(LOOKS[site.state], TEXT.states[site.state]),
      button(TEXT.refresh, "refresh", { look: "default end" }),
    ),
    h("p", { class: "subtle" }, TEXT.intro),
    h(
      "dl",
      { class: "facts" },
      rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
    ),
  );
}

const troubleTitle = ({ code }) => TEXT.trouble.codes[code] ?? TEXT.trouble.other;

function troubleView(site) {
  const { trouble } = site;
  if (!trouble) return null;
  const text = TEXT.trouble;
  return message(
    site.state === "slowed" ? "warning" : "danger",
    troubleTitle(trouble),
    h("p", { class: "advice" }, h("strong", {}, text.advice), ` ${trouble.advice}`),
    trouble.message && h("p", {}, trouble.message),
    h(
      "dl",
      { class: "facts" },
      h("div", {}, h("dt", {}, text.since), h("dd", {}, exactTime(trouble.since))),
      h("div", {}, h("dt", {}, text.until), h("dd", {}, exactTime(trouble.until))),
    ),
    h("p", { class: "subtle" }, text.kept),
  );
}

function stepsView(site) {
  if (site.workspaces.length) return null;
  const { steps } = TEXT;
  const offered = site.offers.length > 0;
  const step = (title, help, done) =>
    h(
      "li",
      { class: done ? "done" : null },
      h("h3", {}, title, done && [" ", lozenge("success", steps.done)]),
      h("p", {}, help),
    );
  return h(
    "section",
    { class: "card", id: "steps", "aria-labelledby": "steps-title" },
    h("h2", { id: "steps-title", tabindex: "-1" }, steps.title),
    h(
      "ol",
      { class: "steps" },
      step(
        steps.offer,
        offered ? steps.offered : [steps.offerHelp, " ", h("code", {}, site.baseUrl)],
        offered,
      ),
      step(steps.link, offered ? steps.linkHelp : steps.linkLater, false),
      step(steps.check, steps.checkHelp, false),
    ),
  );
}

const counted = (count, counts) => NUMBER.format(count) + (counts.isComplete ? "" : "+");

function countsView({ id, counts }) {
  const { card } = TEXT;
  const row = (state) => {
    const number = counted(counts[state], counts);
    const isLink = state !== "shown" && counts[state] > 0;
    const label = card.show[state]?.(number);
    return h(
      "div",
      { class: `count ${counts[state] > 0 ? state : "zero"}` },
      h("dt", {}, card[state]),
      h(
        "dd",
        {},
        isLink ? button(number, `show-${state}`, { look: "number", about: id, label }) : number,
      ),
    );
  };
  return h("dl", { class: "counts" }, row("shown"), row("owed"), row("refused"));
}

const isWaitingForSite = (replay) => replay.state === "waiting" && Boolean(replay.reason);

function replayView({ name, replay }) {
  // A delivery that found nothing to deliver, as at a new link, is no news.
  if (!replay || (replay.state === "done" && replay.done === 0)) return null;
  const text = TEXT.replay;
  const what = text.names[replay.what] ?? "";
  const paused = isWaitingForSite(replay);
  const hasTotal = replay.total != null;
  const title = text[paused ? "paused" : replay.state](what);
  const done = NUMBER.format(replay.done);
  const details = [
    hasTotal && replay.state !== "done" && text.of(done, NUMBER.format(replay.total)),
    !hasTotal && replay.state !== "done" && replay.done > 0 && text.counted(done),
    replay.state === "done" && text.settled(done),
    replay.state === "running" &&
      replay.perSecond &&
      text.rate(NUMBER.format(Math.round(replay.perSecond))),
    replay.refused > 0 && text.refused(NUMBER.format(replay.refused)),
  ].filter(Boolean);
  const ended = replay.state === "done" && replay.endedAt && time(replay.endedAt);
  const bar = hasTotal
    ? { max: Math.max(replay.total, 1), value: Math.min(replay.done, replay.total) }
    : paused && { max: 1, value: 0 };
  return h(
    "div",
    { class: `replay ${paused ? "paused" : replay.state}` },
    h(
      "p",
      { class: "replay-text" },
      h("span", {}, title),
      h(
        "span",
        { class: "subtle" },
        details.join(" · "),
        ended && [details.length ? " · " : "", ended],
      ),
    ),
    replay.state !== "done" && h("progress", { "aria-label": text.label(name), ...(bar || {}) }),
    paused && h("p", { class: "subtle" }, replay.reason),
    replay.until && h("p", { class: "subtle" }, `${text.until} `, time(replay.until)),
  );
}

function sourcesView({ sources }) {
  const { card } = TEXT;
  const isOneOfSeveral = (title) => sources.filter((one) => one.title === title).length > 1;
  const row = ({ id, title, lastDeliveryAt, lastState }) =>
    h(
      "li",
      {},
      h("span", {}, title),
      isOneOfSeveral(title) && h("code", {}, id),
      h(
        "span",
        { class: "subtle" },
        lastDeliveryAt ? time(lastDeliveryAt, `${card.lastCall} `) : card.noCall,
      ),
      lastState && lozenge(lastState === "refused" ? "danger" : "neutral", card.calls[lastState]),
    );
  return h(
    "div",
    { class: "row" },
    h("h4", {}, card.sources),
    sources.length
      ? h(
          "div",
          {},
          h("ul", { class: "sources" }, sources.map(row)),
          sources.some(({ lastState }) => lastState === "refused") &&
            h("p", { class: "subtle" }, card.callRefused),
        )
      : h("p", { class: "subtle" }, card.noSources),
  );
}

function testView({ id, name, hasTestIncident }, busy) {
  const { card } = TEXT;
  const action = hasTestIncident ? "test-remove" : "test-make";
  const words = hasTestIncident ? card.testRemove : card.testMake;
  const label = `${words}: ${name}`;
  return h(
    "div",
    { class: "row" },
    h("h4", {}, card.test),
    h("p", { class: "subtle" }, hasTestIncident ? card.testExists : card.testHelp),
    button(words, action, { about: id, label, busy }),
  );
}

const cardId = (id) => `workspace-${id}`;

function workspaceView(workspace, busy) {
  const { id, name } = workspace;
  const { card } = TEXT;
  return h(
    "article",
    { class: "card", id: cardId(id), "aria-labelledby": `${cardId(id)}-name` },
    h(
      "div",
      { class: "card-header" },
      h(
        "div",
        { class: "card-title" },
        h("h3", { id: `${cardId(id)}-name`, tabindex: "-1" }, link(name, workspace.url)),
        h(
          "p",
          { class: "subtle" },
          workspace.lastDeliveryAt ? time(workspace.lastDeliveryAt, `${card.last} `) : card.never,
        ),
      ),
      h(
        "div",
        { class: "buttons" },
        button(card.deliver, "deliver", { about: id, label: `${card.deliver}: ${name}`, busy }),
        button(card.unlink, "unlink", {
          look: "subtle",
          about: id,
          label: `${card.unlink}: ${name}`,
          busy,
        }),
      ),
    ),
    countsView(workspace),
    replayView(workspace),
    sourcesView(workspace),
    testView(workspace, busy),
  );
}

function workspacesView(site, busy) {
  if (!site.workspaces.length) return null;
  return h(
    "section",
    { id: "workspaces", "aria-labelledby": "workspaces-title" },
    h("h2", { id: "workspaces-title", tabindex: "-1" }, TEXT.workspaces),
    site.workspaces.map((workspace) => workspaceView(workspace, busy.has(workspace.id))),
  );
}

function offersView(site, busy) {
  if (!site.offers.length) return null;
  const { offers } = TEXT;
  const row = ({ id, name, url }) => {
    const isBusy = busy.has(id);
    return h(
      "li",
      { id: `offer-${id}` },
      link(name, url),
      button(isBusy ? offers.linking : offers.link, "link", {
        look: "primary",
        about: id,
        label: `${offers.link}: ${name}`,
        busy: isBusy,
      }),
    );
  };
  return h(
    "section",
    { id: "offers", "aria-labelledby": "offers-title" },
    h("h2", { id: "offers-title" }, offers.title),
    h("p", { class: "subtle" }, offers.help),
    h("ul", { class: "card offers" }, site.offers.map(row)),
  );
}

function problemView(kind, detail = "") {
  const { title, body, more, action } = TEXT.problems[kind];
  const look = { down: "danger", unasked: "danger", forbidden: "information" }[kind] ?? "warning";
  // Only Jira can reload the page with a new token: the frame's own URL has the old one.
  const canAct = action && (kind !== "expired" || window.AP?.navigator?.reload);
  const made = message(
    look,
    title,
    h("p", {}, body),
    more && h("p", {}, more),
    detail && h("p", {}, detail),
    canAct && button(action, kind === "expired" ? "reload" : "refresh", { look: "default" }),
  );
  made.id = "problem";
  made.setAttribute("role", "alert");
  return made;
}

function loadingView() {
  return h(
    "div",
    { class: "loading", role: "status" },
    h("h1", {}, TEXT.title),
    hidden(TEXT.loading),
    h("div", { class: "skeleton wide", "aria-hidden": "true" }),
    h("div", { class: "skeleton tall", "aria-hidden": "true" }),
    h("div", { class: "skeleton tall", "aria-hidden": "true" }),
  );
}

function pageView({ site, problem, detail, busy }) {
  if (!site && !problem) return [loadingView()];
  if (!site || (problem && !STALE[problem])) {
    return [h("h1", { id: "title" }, TEXT.title), problemView(problem, detail)];
  }
  return [
    headerView(site),
    problem && problemView(STALE[problem]),
    troubleView(site),
    stepsView(site),
    workspacesView(site, busy),
    offersView(site, busy),
  ].filter(Boolean);
}

// --- Messages about what was done ---

const FLAG_MS = 10_000;

function flag(text, look = "success") {
  const made = h(
    "div",
    { class: `flag ${look}` },
    h("span", { class: "message-icon", "aria-hidden": "true" }),
    h("p", {}, text),
    h(
      "button",
      { type: "button", class: "button subtle", onclick: () => made.remove() },
      TEXT.flags.dismiss,
    ),
  );
  document.getElementById("flags").replaceChildren(made);
  if (look !== "danger") setTimeout(() => made.remove(), FLAG_MS);
}

// --- Dialogs ---

// Resolves to what `answer` returns if the person agrees, and to null otherwise.
function ask({ title, body, action, look, answer }) {
  return new Promise((resolve) => {
    let result = null;
    const agree = () => {
      result = answer(dialog);
      dialog.close();
    };
    const cancel = { type: "button", class: "button subtle", onclick: () => dialog.close() };
    const dialog = h(
      "dialog",
      { "aria-labelledby": "dialog-title", "aria-describedby": "dialog-body" },
      h("h2", { id: "dialog-title" }, title),
      h("div", { id: "dialog-body" }, body),
      h(
        "div",
        { class: "buttons end" },
        h("button", cancel, TEXT.dialog.cancel),
        h("button", { type: "button", class: `button ${look}`, onclick: agree }, action),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
    // Not by `autofocus`, which browsers refuse in a frame of another origin.
    dialog.querySelector("input:checked")?.focus();
  });
}

function askUnlink({ name }) {
  const { dialog } = TEXT;
  return ask({
    title: dialog.unlinkTitle(name),
    body: dialog.unlink.map((text) => h("p", {}, text)),
    action: dialog.unlinkAction,
    look: "danger",
    answer: () => true,
  });
}

function askDeliver({ name, counts }) {
  const { dialog } = TEXT;
  const preferred = counts.owed > 0 ? "owed" : "all";
  const choice = (what) =>
    h(
      "label",
      { class: "choice" },
      h("input", {
        type: "radio",
        name: "what",
        value: what,
        checked: what === preferred,
      }),
      h("span", {}, dialog[what], h("span", { class: "subtle" }, dialog[`${what}Help`])),
    );
  return ask({
    title: dialog.deliverTitle(name),
    body: h("fieldset", {}, h("legend", {}, dialog.deliverWhat), choice("owed"), choice("all")),
    action: dialog.deliverAction,
    look: "primary",
    answer: (made) => made.querySelector("input:checked").value,
  });
}

// --- The list of what is not in Jira ---

const PAGE_LIMIT = 50;
const SEARCH_MS = 300;
// The API's pages may be short: one click reads at most so many until PAGE_LIMIT entities are there.
const PAGES_MAX = 10;

function entityView(entity) {
  const { list } = TEXT;
  const hasReason = entity.messages.length || entity.state === "owed";
  const words = hasReason ? entity.messages : [list.noWords];
  return h(
    "li",
    { class: "entity" },
    h("h3", {}, entity.summary ? link(entity.summary, entity.url) : list.deleted),
    h(
      "p",
      { class: "subtle entity-facts" },
      h("span", {}, list.kinds[entity.kind] ?? entity.kind),
      h("code", {}, entity.id),
      entity.at && time(entity.at, `${list.at[entity.state]} `),
    ),
    words.map((text) => h("p", { class: "words" }, text)),
  );
}

class NotInJira {
  #after = null;
  #count = 0;
  #turn = 0;
  #timer = null;

  constructor(section) {
    const { list } = TEXT;
    const reload = () => this.load();
    this.section = section;
    this.workspace = h("select", { id: "list-workspace", onchange: () => this.choose() });
    this.picker = h(
      "div",
      { class: "field" },
      h("label", { for: "list-workspace" }, list.workspace),
      this.workspace,
    );
    this.states = h(
      "fieldset",
      { class: "segments", onchange: reload },
      h("legend", {}, list.state),
    );
    for (const state of ["refused", "owed"]) {
      const radio = h("input", {
        type: "radio",
        name: "list-state",
        id: `list-${state}`,
        value: state,
      });
      radio.checked = state === "refused";
      const count = h("span", { class: "badge", id: `list-${state}-count` });
      this.states.append(radio, h("label", { for: radio.id }, list[state], " ", count));
    }
    this.search = h("input", {
      type: "search",
      id: "list-search",
      placeholder: list.hint,
      maxlength: "200",
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => this.#later(),
    });
    this.items = h("ul", { class: "entities" });
    this.status = h("p", { class: "subtle list-status", role: "status", tabindex: "-1" });
    this.more = h(
      "button",
      { type: "button", class: "button default", hidden: true, onclick: () => this.loadMore() },
      list.more,
    );
    section.append(
      h("h2", { id: "not-in-jira-title", tabindex: "-1" }, list.title),
      h("p", { class: "subtle" }, list.help),
      h(
        "div",
        { class: "filters", role: "search" },
        this.picker,
        this.states,
        h(
          "div",
          { class: "field grow" },
          h("label", { for: "list-search" }, list.search),
          this.search,
        ),
      ),
      this.items,
      h("div", { class: "list-end" }, this.status, this.more),
    );
  }

  get state() {
    return this.states.querySelector("input:checked").value;
  }

  // Follows the site: its workspaces, and their numbers.
  update(workspaces) {
    this.workspaces = workspaces;
    this.section.hidden = workspaces.length === 0;
    this.picker.hidden = workspaces.length < 2;
    const before = this.workspace.value;
    const names = workspaces.map(({ id, name }) => h("option", { value: id }, name));
    morphChildren(this.workspace, names);
    if (workspaces.some(({ id }) => id === before)) this.workspace.value = before;
    if (!workspaces.length) return;
    const { counts } = this.#chosen;
    for (const state of ["refused", "owed"]) {
      document.getElementById(`list-${state}-count`).textContent = counted(counts[state], counts);
    }
    if (this.workspace.value !== before) this.choose();
  }

  get #chosen() {
    return this.workspaces.find(({ id }) => id === this.workspace.value);
  }

  // The person chose a workspace: show the state in which there is something.
  choose() {
    const { counts } = this.#chosen;
    this.#check(counts.refused === 0 && counts.owed > 0 ? "owed" : "refused");
    this.update(this.workspaces);
    this.load();
  }

  show(id, state) {
    this.workspace.value = id;
    this.#check(state);
    this.search.value = "";
    this.update(this.workspaces);
    this.load();
    focus("not-in-jira-title");
  }

  #check(state) {
    document.getElementById(`list-${state}`).checked = true;
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.load(), SEARCH_MS);
  }

  load() {
    clearTimeout(this.#timer);
    // Nothing is linked: there is no list to ask for.
    if (!this.workspace.value) return undefined;
    this.#after = null;
    this.#count = 0;
    return this.#read(true);
  }

  async loadMore() {
    if (this.more.getAttribute("aria-disabled")) return;
    await this.#read(false);
    if (this.more.hidden) this.status.focus();
  }

  async #read(isFirst) {
    const turn = ++this.#turn;
    const { list } = TEXT;
    this.#say(list.loading);
    this.more.setAttribute("aria-disabled", "true");
    const wanted = this.#count + PAGE_LIMIT;
    try {
      for (let pages = 0; pages < PAGES_MAX && this.#count < wanted; pages++) {
        const { entities, next } = await call("GET", this.#path());
        if (turn !== this.#turn) return;
        const made = entities.map(entityView);
        if (isFirst && pages === 0) this.items.replaceChildren(...made);
        else this.items.append(...made);
        this.#count += made.length;
        this.#after = (this.#count < this.#expected && next) || null;
        if (!this.#after) break;
      }
      this.#say(this.#summary(), this.#after && (this.#count ? list.more : list.further));
    } catch (error) {
      if (turn !== this.#turn) return;
      if (isFirst) this.items.replaceChildren();
      if (["expired", "forbidden"].includes(error.problem)) page.fail(error);
      this.#say(`${list.failed} ${error.message}`.trim(), list.retry);
    } finally {
      if (turn === this.#turn) this.more.removeAttribute("aria-disabled");
    }
  }

  // How many there are, so that a long record isn't read to its end for the last of a few.
  get #expected() {
    const { counts } = this.#chosen;
    const isKnown = counts.isComplete && this.state === "refused" && !this.#words;
    return isKnown ? counts.refused : Infinity;
  }

  get #words() {
    return this.search.value.trim();
  }

  #path() {
    const query = new URLSearchParams({ state: this.state, limit: PAGE_LIMIT });
    if (this.#words) query.set("query", this.#words);
    if (this.#after) query.set("after", this.#after);
    return below(this.workspace.value, `entities?${query}`);
  }

  #summary() {
    const { list } = TEXT;
    const number = NUMBER.format(this.#count);
    if (this.#count) return this.#after ? list.some(number) : list.all(number);
    if (!this.#words) return this.#after ? list.noMatchYet : list.none[this.state];
    return this.#after ? list.noMatchYet : list.noMatch;
  }

  #say(text, action = "") {
    this.status.textContent = text;
    if (text !== TEXT.list.loading) this.more.hidden = !action;
    if (action) this.more.textContent = action;
  }
}

function focus(id) {
  document.getElementById(id)?.focus();
}

// --- The page's life ---

const POLL_MS = 2_000;
const SLOW_POLL_MS = 10_000;
// Jira takes a moment to accept what an action has sent; the numbers are followed for so long.
const SETTLE_MS = 12_000;
const CLOCK_MS = 30_000;

class Page {
  state = { site: null, problem: null, detail: "", busy: new Set() };
  // The test incidents that were made (true) or removed (false), until Relay has recorded it.
  #tests = new Map();
  #turn = 0;
  #timer = null;
  #settledAt = 0;
  #replays = new Map();

  constructor() {
    this.root = document.getElementById("site");
    this.list = new NotInJira(document.getElementById("not-in-jira"));
  }

  render() {
    const { state } = this;
    morphChildren(this.root, pageView(state));
    this.root.toggleAttribute("aria-busy", false);
    const showsSite = state.site && (!state.problem || STALE[state.problem]);
    if (showsSite) this.list.update(state.site.workspaces);
    else this.list.section.hidden = true;
  }

  async refresh() {
    const turn = ++this.#turn;
    clearTimeout(this.#timer);
    try {
      const site = await call("GET", "site");
      if (turn !== this.#turn) return;
      const before = this.state.site;
      this.state.site = this.#withTests(site);
      this.state.problem = null;
      this.render();
      if (before) this.#followTrouble(before.trouble, site.trouble);
      this.#followReplays();
    } catch (error) {
      if (turn !== this.#turn) return;
      this.fail(error);
    }
    this.#schedule();
  }

  #withTests(site) {
    for (const workspace of site.workspaces) {
      const expected = this.#tests.get(workspace.id);
      const isLate = Date.now() > this.#settledAt;
      if (isLate || expected === workspace.hasTestIncident) this.#tests.delete(workspace.id);
      else workspace.hasTestIncident = expected ?? workspace.hasTestIncident;
    }
    return site;
  }

  fail(error) {
    this.state.problem = error instanceof ApiError ? error.problem : "down";
    this.state.detail = this.state.problem === "down" ? error.message : "";
    this.render();
    if (!(error instanceof ApiError)) throw error;
  }

  #followTrouble(before, now) {
    if (before?.code === now?.code) return;
    if (now) flag(TEXT.flags.trouble(troubleTitle(now)), "warning");
    else flag(TEXT.flags.recovered);
  }

  #followReplays() {
    for (const { id, name, replay } of this.state.site.workspaces) {
      const before = this.#replays.get(id);
      const now = replay?.state;
      this.#replays.set(id, now);
      if (!before || before === now || now !== "done") continue;
      const [done, refused] = [replay.done, replay.refused].map((count) => NUMBER.format(count));
      const text = TEXT.replay;
      const words = replay.done
        ? text.finished(name, text.settled(done), refused)
        : text.nothing(name);
      flag(words, replay.refused ? "warning" : "success");
      if (this.list.workspace.value === id) this.list.load();
    }
  }

  #schedule() {
    clearTimeout(this.#timer);
    const delay = this.#delay();
    if (delay && !document.hidden) this.#timer = setTimeout(() => this.refresh(), delay);
  }

  #delay() {
    const { site, problem } = this.state;
    if (!site || (problem && !STALE[problem])) return 0;
    if (problem) return SLOW_POLL_MS;
    const replays = site.workspaces
      .map(({ replay }) => replay)
      .filter((replay) => replay && replay.state !== "done");
    const moves = replays.some((replay) => !isWaitingForSite(replay));
    if (moves || Date.now() < this.#settledAt) return POLL_MS;
    return replays.length ? SLOW_POLL_MS : 0;
  }

  start() {
    document.addEventListener("click", (event) => this.#click(event));
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.#timer);
      if (!document.hidden && this.state.site) this.refresh();
    });
    setInterval(() => !document.hidden && this.state.site && this.render(), CLOCK_MS);
    this.render();
    return this.refresh();
  }

  #click(event) {
    const pressed = event.target.closest("[data-action]");
    if (!pressed || pressed.getAttribute("aria-disabled")) return;
    const { action, about } = pressed.dataset;
    const { workspaces = [], offers = [] } = this.state.site ?? {};
    this.#actions[action]([...workspaces, ...offers].find(({ id }) => id === about));
  }

  #actions = {
    refresh: () => this.#again(),
    reload: () => window.AP.navigator.reload(),
    "show-owed": ({ id }) => this.list.show(id, "owed"),
    "show-refused": ({ id }) => this.list.show(id, "refused"),
    link: async (offer) => {
      if (!(await this.#change(offer, "PUT", "link", TEXT.flags.linked))) return;
      focus(`${cardId(offer.id)}-name`);
    },
    unlink: async (workspace) => {
      if (!(await askUnlink(workspace))) return;
      if (!(await this.#change(workspace, "DELETE", "link", TEXT.flags.unlinked))) return;
      focus(this.state.site?.workspaces.length ? "workspaces-title" : "steps-title");
    },
    deliver: async (workspace) => {
      const what = await askDeliver(workspace);
      if (what) await this.#change(workspace, "POST", "replay", TEXT.flags.delivering, { what });
    },
    "test-make": (workspace) =>
      this.#change(workspace, "PUT", "test-incident", TEXT.flags.testMade),
    "test-remove": (workspace) =>
      this.#change(workspace, "DELETE", "test-incident", TEXT.flags.testRemoved),
  };

  async #again() {
    if (!this.state.site) {
      this.state.problem = null;
      this.render();
    }
    await this.refresh();
    if (this.state.site && !this.state.problem) this.list.load();
  }

  // Returns whether the API has done it.
  async #change({ id, name }, method, rest, words, body) {
    this.state.busy.add(id);
    this.render();
    let failure = null;
    try {
      await call(method, below(id, rest), body);
    } catch (error) {
      failure = error;
    }
    this.#settledAt = Date.now() + SETTLE_MS;
    if (rest === "test-incident" && !failure) this.#tests.set(id, method === "PUT");
    if (rest === "replay") this.#replays.set(id, "waiting");
    await this.refresh();
    this.state.busy.delete(id);
    this.render();
    if (!failure) flag(words(name));
    else if (["expired", "forbidden"].includes(failure.problem)) this.fail(failure);
    else flag(`${TEXT.flags.failed} ${failure.message}`.trim(), "danger");
    return !failure;
  }
}

window.AP?.theming?.initializeTheming?.();
const page = new Page();
await page.start();
