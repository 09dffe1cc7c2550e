// The TypeDoc plugin of the site: pages have the titles of their headings, and addresses like those of their files.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Converter, DefaultTheme, PageEvent, RendererEvent, StructureRouter } from 'typedoc';
import { buildInspector } from '../inspector/build.js';

/** Groups of pages, by the folder of their files; pages of other folders are about the project. */
const GROUPS = {
  'docs/guide/': { group: 'Guide', folder: 'guide/' },
  'docs/recipes/': { group: 'Recipes', folder: 'recipes/' },
  'docs/examples/': { group: 'Recipes', folder: 'examples/' },
  'docs/': { group: 'Reference', folder: 'reference/' },
};
const PROJECT = { group: 'Project', folder: 'project/' };

const FIRST = [
  ...['getting-started', 'unsubscribe', 'browser', 'services', 'testing'].map((name) => `guide/${name}`),
  ...['presence-board', 'migration', 'proxies', 'adfs', 'many-tabs', 'interop'].map(
    (name) => `recipes/${name}`,
  ),
  ...['ucwa', 'ews', 'limits', 'security'].map((name) => `reference/${name}`),
];

/** The address of a document, without its ending, by its reflection. */
const addresses = new WeakMap();

class SiteRouter extends StructureRouter {
  getIdealBaseName(reflection) {
    return addresses.get(reflection) ?? `api/${super.getIdealBaseName(reflection)}`;
  }
}

/** Without links inside of buttons: a module has an entry of its own for its page. */
class SiteTheme extends DefaultTheme {
  buildNavigation(project) {
    return super
      .buildNavigation(project)
      .map((group) => ({ ...group, children: group.children?.map(unlinked) }));
  }
}

const unlinked = ({ path, children, ...entry }) =>
  children === undefined
    ? { ...entry, path }
    : {
        text: entry.text,
        children: [{ text: 'Overview', path, kind: entry.kind }, ...children.flatMap(entriesOf)],
      };

const entriesOf = ({ children, ...entry }) =>
  entry.path === undefined ? children : [{ ...entry, children }];

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.renderer.defineRouter('site', SiteRouter);
  app.renderer.defineTheme('site', SiteTheme);

  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    const [, directory, name] = /^(.*\/)?(.*)$/.exec(document.name);
    const { group, folder } = GROUPS[directory] ?? PROJECT;
    addresses.set(document, folder + (name === 'README' ? 'index' : name.toLowerCase()));
    const [, title] = /^# (.*)$/m.exec(readFileSync(`${document.name}.md`, 'utf8'));
    document.name = title;
    document.frontmatter = { group };
  });

  // The pages that everybody reads are first, in this order; the others are in that of their titles.
  const place = (document) => FIRST.indexOf(addresses.get(document)) + 1 || FIRST.length + 1;
  const inOrder = (documents) =>
    documents?.sort((one, other) => place(one) - place(other) || one.name.localeCompare(other.name));
  const sortDocuments = ({ project }) => {
    inOrder(project.documents);
    for (const { children } of project.groups ?? [])
      if (children.every((one) => one.isDocument())) inOrder(children);
  };
  app.converter.on(Converter.EVENT_RESOLVE_END, sortDocuments, -1000);

  app.renderer.on(PageEvent.END, (page) => {
    const base = '../'.repeat(page.url.split('/').length - 1);
    page.contents = page.contents
      // Links of the toolbar are the same on every page.
      .replaceAll('href="site:', `href="${base}`)
      // A folder on a disk has no index.
      .replace(/href="((?:\.\.\/)+)(#[^"]*)?"/g, 'href="$1index.html$2"')
      // Browsers do not read a part of another file from a disk; icons.js adds the icons to every page.
      .replace(/href="[./]*assets\/icons\.svg#/g, 'href="#')
      // A button contains no link, and what scrolls can be reached by the keyboard.
      .replace(/<summary.*?<\/summary>/gs, (summary) => summary.replace(/<a href="#.*?<\/a>/s, ''))
      .replaceAll('<table>', '<div class="table" tabindex="0"><table>')
      .replaceAll('</table>', '</table></div>')
      .replace(/<p>(?=<img src="[^"]*\.svg")/g, '<p class="diagram" tabindex="0">')
      .replace(/<!-- playground: (\S+) (.*?) -->/g, (_, scenario, text) =>
        playgroundLink(base, scenario, text),
      );
  });

  app.renderer.on(
    RendererEvent.END,
    ({ outputDirectory }) => {
      const css = ['docs/theme.css', 'docs/site/site.css'].map((path) => readFileSync(path, 'utf8'));
      writeFileSync(join(outputDirectory, 'assets/custom.css'), css.join('\n'));
    },
    -1000,
  );

  app.renderer.postRenderAsyncJobs.push(({ outputDirectory }) =>
    buildInspector(join(outputDirectory, 'playground')),
  );
}

function playgroundLink(base, scenario, text) {
  return `<p class="playground"><a href="${base}playground/index.html#scenario=${scenario}">${text}</a></p>`;
}
