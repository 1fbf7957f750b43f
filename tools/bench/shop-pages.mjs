// The pages that nginx serves to tools/bench/run scrape, as files:
//
//   node shop-pages.mjs FOLDER PAGES [JOBS…]
//
// FOLDER/a and FOLDER/b hold the same PAGES of 100 products, but in b the price of every twentieth has changed. Each has
// JOBS/PART/NUMBER.json and .html: the pages divided among so many jobs, whatever their number the same files (hard links).
// empty.json and empty.html end a job's list.
import fs from 'node:fs';
import path from 'node:path';

const [folder, count, ...divisions] = process.argv.slice(2);
const pages = Number(count);
const perPage = 100;

// A small generator, so that the pages are the same each time.
let seed = 1;
const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
const pick = (list) => list[random(list.length)];
const adjectives = ['Folding', 'Pocket', 'Quiet', 'Glass', 'Woven', 'Solar', 'Heavy', 'Tiny'];
const things = ['Lantern', 'Desk Lamp', 'Kettle', 'Backpack', 'Headphones', 'Blanket', 'Chess Set', 'Thermos'];
const categories = ['Outdoor', 'Office', 'Kitchen', 'Audio', 'Toys', 'Home'];
const words = 'warm light for small tents made of oak and steel with a soft handle that lasts many seasons and folds flat'.split(' ');

function product(page, place) {
  const sku = `B-${page}-${place}`;
  return {
    sku, name: `${pick(adjectives)} ${pick(things)} ${random(1000)}`, description: Array.from({ length: 44 }, () => pick(words)).join(' '),
    category: pick(categories), price: (1 + random(20000) / 100).toFixed(2), currency: 'EUR', sold_7d: random(500), sold_total: random(90000),
    rating: random(51) / 10, reviews: random(900), image: `https://cdn.shop.example/i/${sku}.webp`, url: `https://shop.example/p/${sku}`,
    in_stock: random(20) > 0,
  };
}

const item = (p, i) => ({
  '@type': 'ListItem', position: i + 1,
  item: {
    '@type': 'Product', sku: p.sku, name: p.name, description: p.description, category: p.category, image: p.image, url: p.url,
    offers: { '@type': 'Offer', price: p.price, priceCurrency: p.currency, availability: `https://schema.org/${p.in_stock ? 'InStock' : 'OutOfStock'}` },
    aggregateRating: { '@type': 'AggregateRating', ratingValue: p.rating, reviewCount: p.reviews },
  },
});
const json = (products) => JSON.stringify({ products });
const html = (products) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<script type="application/ld+json" id="products">${JSON.stringify({ '@context': 'https://schema.org', '@type': 'ItemList', itemListElement: products.map(item) })}</script>
</head><body><ul>${products.map((p) => `<li><a href="${p.url}">${p.name}</a> <b>${p.price}</b></li>`).join('\n')}</ul></body></html>`;

// ETags of nginx are made of time and length: the times of a and b differ by ten seconds.
const now = Math.floor(Date.now() / 1000);
function write(file, text, age) {
  fs.writeFileSync(file, text);
  fs.utimesSync(file, now - age, now - age);
}

for (const set of ['a', 'b']) fs.mkdirSync(path.join(folder, set, 'all'), { recursive: true });
for (let page = 1; page <= pages; page++) {
  const products = Array.from({ length: perPage }, (_, i) => product(page, i));
  for (const [set, age] of [['a', 60], ['b', 50]]) {
    if (set === 'b') products.forEach((p, i) => { if (i % 20 === 0) p.price = (Number(p.price) + 1).toFixed(2); });
    write(path.join(folder, set, 'all', `${page}.json`), json(products), age);
    write(path.join(folder, set, 'all', `${page}.html`), html(products), age);
  }
}
for (const [set, age] of [['a', 60], ['b', 50]]) {
  write(path.join(folder, set, 'empty.json'), json([]), age);
  write(path.join(folder, set, 'empty.html'), html([]), age);
  for (const jobs of divisions.map(Number)) {
    const each = Math.ceil(pages / jobs);
    for (let page = 1; page <= pages; page++) {
      const part = path.join(folder, set, String(jobs), String(Math.ceil(page / each)));
      fs.mkdirSync(part, { recursive: true });
      for (const kind of ['json', 'html'])
        fs.linkSync(path.join(folder, set, 'all', `${page}.${kind}`), path.join(part, `${((page - 1) % each) + 1}.${kind}`));
    }
  }
}
fs.symlinkSync('a', path.join(folder, 'now'));
