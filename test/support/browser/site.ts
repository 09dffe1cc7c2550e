import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { filesBelow } from '../docs/filesBelow.ts';
import { httpServer, type SpecServer } from '../net/httpServer.ts';
import { ROOT } from './bundle.ts';

/** The folder of the built site. */
export const SITE: string = join(ROOT, 'site');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/** Builds the site, unless it is newer than its sources. */
export async function buildSite(): Promise<void> {
  const sources = [
    'docs',
    'lib',
    'operators',
    'README.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    '.typedoc.json',
  ];
  const newest = Math.max(...sources.flatMap((path) => filesOf(join(ROOT, path))).map(modified));
  if (newest > modified(join(SITE, 'index.html')))
    await promisify(execFile)('npm', ['run', 'site'], { cwd: ROOT });
}

/** Returns the pages, as paths relative to the site. */
export function sitePages(): string[] {
  return readdirSync(SITE, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.html'));
}

/** Returns the URL of a page on the disk. */
export function fileUrl(page: string): string {
  return pathToFileURL(join(SITE, page)).href;
}

/** Returns the scenarios of the playground that a page links to. */
export function scenariosOf(page: string): string[] {
  const html = readFileSync(join(SITE, page), 'utf8');
  return [...html.matchAll(/playground\/index\.html#scenario=([\w-]+)/g)].map(
    ([, scenario = '']) => scenario,
  );
}

/** Serves the site below a path of its own. */
export function siteServer(path: string): Promise<SpecServer> {
  return httpServer(({ url = '' }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    const file = join(SITE, pathname.startsWith(path) ? pathname.slice(path.length) : '/nothing');
    const type = TYPES[extname(file)];
    if (type === undefined || !existsSync(file)) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': type }).end(readFileSync(file));
  });
}

/** Returns the links of a page that lead nowhere, and what it loads from other origins. */
export function brokenLinks(page: string): string[] {
  const html = readFileSync(join(SITE, page), 'utf8');
  const loaded = [
    ...html.matchAll(/<(?:script|img|iframe|source)\b[^>]*?\bsrc="([^"]*)"|<link\b[^>]*?\bhref="([^"]*)"/g),
  ]
    .map(([, src, href]) => src ?? href ?? '')
    .filter((url) => /^(\w+:)?\/\//.test(url));
  const links = [...html.matchAll(/\b(?:href|src)="([^"]*)"/g)]
    .map(([, link = '']) => link.replaceAll('&amp;', '&'))
    .filter((link) => !/^(https:|data:|mailto:)/.test(link) && !link.startsWith('#icon-'))
    .filter((link) => !leadsSomewhere(page, link));
  return [...loaded.map((url) => `${page} loads ${url}`), ...links.map((link) => `${page} links to ${link}`)];
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#', 2);
  const file = path === '' ? join(SITE, page) : resolve(SITE, page, '..', decodeURIComponent(path));
  if (!file.startsWith(SITE) || !existsSync(file) || statSync(file).isDirectory()) return false;
  // The playground reads what follows the # itself.
  if (anchor === undefined || anchor === '' || anchor.startsWith('scenario=')) return true;
  return anchorsOf(file).has(decodeURIComponent(anchor));
}

const anchors = new Map<string, ReadonlySet<string>>();

function anchorsOf(file: string): ReadonlySet<string> {
  const known = anchors.get(file);
  if (known !== undefined) return known;
  const found = new Set([...readFileSync(file, 'utf8').matchAll(/\bid="([^"]*)"/g)].map(([, id = '']) => id));
  anchors.set(file, found);
  return found;
}

function filesOf(path: string): string[] {
  return statSync(path).isDirectory() ? filesBelow(path) : [path];
}

function modified(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
