"""Pages of sites: the home page, a site, and the forms for a new site and a new post."""
