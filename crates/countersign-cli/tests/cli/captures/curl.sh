curl 'https://shop.example/hooks/stripe' \
  -X 'POST' \
  -H 'content-type: application/json' \
  -H 'stripe-signature: t=1570129595,v1=9ac190cbdfcb3896529b1448e393f4e1f554a4b4ac6720f3187869d2c510a885' \
  --data-raw '{"zen":1,"note":"café"}' \
  --compressed
