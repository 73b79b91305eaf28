// The dashboard works without this file. It renews what is shown, tells times in the reader's zone, and adds keys.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Times

const long = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'long' });

// ago tells a near time by its distance and another one by its date.
function ago(at) {
  const seconds = Math.round((at - Date.now()) / 1000);
  const size = Math.abs(seconds);
  if (size < 60) return seconds > 0 ? relative.format(seconds, 'second') : 'just now';
  if (size < 3600) return relative.format(Math.trunc(seconds / 60), 'minute');
  if (size < (seconds > 0 ? 36 : 6) * 3600) return relative.format(Math.trunc(seconds / 3600), 'hour');
  return (at.toDateString() === new Date().toDateString() ? clock : day).format(at);
}

function tellTimes(root = document) {
  for (const element of all('time', root)) {
    const at = new Date(element.dateTime);
    if (isNaN(at)) continue;
    element.textContent = element.dataset.absolute === undefined ? ago(at) : long.format(at);
    element.title = long.format(at);
  }
}

// Renewal: what carries data-live is read again from the page's own address and exchanged, element by element. The
// document is made by the browser from the answer itself, and no string is parsed here.

function read(address) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open('GET', address);
    request.responseType = 'document';
    request.setRequestHeader('Accept', 'text/html');
    request.onload = () => (request.status === 200 && request.response ? done(request) : fail(new Error(String(request.status))));
    request.onerror = () => fail(new Error('no connection'));
    request.send();
  });
}

let renewing = null, again = false;

function renew() {
  if (renewing) {
    again = true;
    return;
  }
  renewing = exchange().catch(() => {}).finally(() => {
    renewing = null;
    if (again) {
      again = false;
      renew();
    }
  });
}

async function exchange() {
  const request = await read(location.href);
  if (new URL(request.responseURL).pathname !== location.pathname) return location.reload(); // signed out
  const fresh = request.response;
  document.title = fresh.title;
  for (const old of all('[data-live]')) {
    const next = fresh.getElementById(old.id);
    if (next) swap(old, document.importNode(next, true));
    else old.replaceChildren();
  }
}

// swap exchanges an element and keeps what the reader has opened, chosen, typed and focused in it.
function swap(old, next) {
  tellTimes(next);
  if (old.isEqualNode(next)) return;
  const known = new Set(all('[data-row] a[href]', old).map((a) => a.getAttribute('href')));
  for (const row of all('[data-row]', next)) {
    const address = row.querySelector('a[href]')?.getAttribute('href');
    if (address && !known.has(address)) row.classList.add('fresh');
    if (address && address === cursor) row.classList.add('at');
  }
  const states = new Map(all('input, textarea, select', old).map((f) => [handle(f), f]));
  for (const field of all('input, textarea, select', next)) {
    const was = states.get(handle(field));
    if (!was) continue;
    if (field.type === 'checkbox') field.checked = was.checked;
    else field.value = was.value;
  }
  const open = new Set(all('details[open][id]', old).map((d) => d.id));
  for (const details of all('details[id]', next)) if (open.has(details.id)) details.open = true;
  const focused = old.contains(document.activeElement) ? handle(document.activeElement) : null;
  old.replaceWith(next);
  if (focused) all('a, button, input, textarea, select, summary', next).find((e) => handle(e) === focused)?.focus();
}

// handle names an element across two versions of a page. A group is known by what its calls have in common: which of them is the
// first changes.
function handle(e) {
  const name = e.id || e.getAttribute('href');
  if (name) return e.tagName + ' ' + name;
  const group = e.form?.matches('.group') ? all('.tool, .state, .why', e.form).map((words) => words.textContent) : [];
  return [e.tagName, ...group, e.name, e.type === 'checkbox' || e.tagName === 'BUTTON' ? e.value.split(' ')[0] : ''].join(' ');
}

// The stream of hints

let stream = null, lost = 0;

function listen() {
  if (stream || document.hidden || !document.querySelector('[data-live]')) return;
  stream = new EventSource('/live');
  // What changed after the page was made and before the stream was open is told by nobody, so the page is read again.
  stream.addEventListener('ready', () => {
    clearTimeout(lost);
    lost = 0;
    document.getElementById('offline').hidden = true;
    renew();
  });
  stream.addEventListener('changed', (event) => {
    const ids = event.data.split(' ');
    const shown = document.querySelector('[data-effect]')?.dataset.effect;
    const notice = document.getElementById('changed');
    if (notice && (event.data === '' || ids.includes(shown))) notice.hidden = false;
    renew();
  });
  stream.onerror = () => {
    lost ||= setTimeout(() => (document.getElementById('offline').hidden = false), 4000);
    if (stream.readyState === EventSource.CLOSED) {
      stream = null;
      setTimeout(listen, 5000);
    }
  };
}

// A browser opens few connections to one server: a page that nobody looks at gives its own back.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) {
    listen();
  } else if (stream) {
    stream.close();
    stream = null;
  }
});
addEventListener('pagehide', () => stream?.close());
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

// Forms with data-fresh are judged while they are filled in: the form is posted as its button would, and the elements that it names are exchanged.

function send(form) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open('POST', form.action);
    request.responseType = 'document';
    request.onload = () => (request.status === 200 && request.response ? done(request.response) : fail(new Error(String(request.status))));
    request.onerror = () => fail(new Error('no connection'));
    request.send(new URLSearchParams(new FormData(form)));
  });
}

for (const form of all('form[data-fresh]')) {
  let turn = 0, rest = 0;
  form.addEventListener('input', () => {
    clearTimeout(rest);
    rest = setTimeout(async () => {
      const mine = ++turn;
      const answer = await send(form).catch(() => null);
      if (!answer || mine !== turn) return;
      for (const id of form.dataset.fresh.split(' ')) {
        const next = answer.getElementById(id);
        if (next) document.getElementById(id).replaceWith(document.importNode(next, true));
      }
      if (draft) number();
    }, 300);
  });
}

// The editor grows with its text, so that its line numbers stay beside its lines. Those of lines with a problem are marked.
const draft = document.getElementById('draft');

function number() {
  const gutter = draft.previousElementSibling;
  const bad = new Set(all('#problems [data-line]').map((link) => Number(link.dataset.line)));
  draft.rows = Math.max(draft.value.split('\n').length + 1, 8);
  gutter.textContent = '';
  let plain = '';
  for (let line = 1; line <= draft.rows; line++) {
    if (!bad.has(line)) {
      plain += line + '\n';
      continue;
    }
    const mark = document.createElement('b');
    mark.textContent = line;
    gutter.append(plain, mark);
    plain = '\n';
  }
  gutter.append(plain);
}

if (draft) {
  draft.addEventListener('input', () => {
    number();
    const outdated = document.getElementById('outdated');
    if (outdated) outdated.hidden = false;
  });
  number();
  document.addEventListener('click', (event) => {
    const { line, column } = event.target.closest('[data-line]')?.dataset ?? {};
    if (!line) return;
    event.preventDefault();
    const before = draft.value.split('\n').slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
    draft.focus();
    draft.setSelectionRange(before + Math.max(column - 1, 0), before + Math.max(column - 1, 0));
  });
}

// Keys

let cursor = null;

function move(step) {
  const rows = all('[data-row]');
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.classList.contains('at'));
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  rows[at]?.classList.remove('at');
  next.classList.add('at');
  const link = next.querySelector('a[href]');
  cursor = link?.getAttribute('href') ?? null;
  link?.focus({ preventScroll: true });
  next.scrollIntoView({ block: 'nearest' });
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  '/': () => document.querySelector('input[type=search]')?.focus(),
  '?': () => document.getElementById('keys').showModal(),
};

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select, dialog')) return;
  const act = keys[event.key] ?? (() => document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.focus());
  if (keys[event.key]) event.preventDefault();
  act();
});

tellTimes();
setInterval(tellTimes, 30000);
listen();
