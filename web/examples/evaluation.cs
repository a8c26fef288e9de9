using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

using var http = new HttpClient
{
    BaseAddress = new Uri("{{url}}"),
    Timeout = TimeSpan.FromSeconds(3),
};
http.DefaultRequestHeaders.Authorization =
    new AuthenticationHeaderValue("Bearer", "{{token}}");

var response = await http.PostAsJsonAsync("/access/v1/evaluation", new
{
    subject = new { type = "officer", id = "{{officer}}" },
    action = new { name = "approve" },
    resource = new { type = "unit", id = "TH-12" },
});
response.EnsureSuccessStatusCode();
var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
Console.WriteLine(answer.GetProperty("decision").GetBoolean());
